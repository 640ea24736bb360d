"""The door for agents: the Model Context Protocol over HTTP and standard input and output."""
