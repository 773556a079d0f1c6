"""What programs written for 0.4.5 import beside the client."""
