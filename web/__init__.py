"""What people see: the pages, their static files, and the command that serves them."""
