"""What is done to an installation as a whole: erasing persons, letting tenants go, copies of it."""
