"""A simulated Fachverfahren: REST, SOAP, SFTP, CMIS and XTA faces, one inbox, and a page to look at it."""
