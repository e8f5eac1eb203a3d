"""A child process in which stylesheets of others run: no file, no network, no environment, little time and memory."""
