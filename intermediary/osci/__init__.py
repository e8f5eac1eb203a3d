"""OSCI 1.2 as a partner: the messages we write, the endpoint that is called, the dialogs we lead."""
