"""The pages: where people meet the numbers. They ask the same service as the other doors."""
