"""`mapping new`: from the schema of a form and a message of a standard to a package that can be imported and tested."""
