"""The wire format of XTA 2.1.1, both ways: SOAP 1.2 with WS-Addressing, MTOM, and the structures in it.

Readers of what has to be opened again later are in `unseal.xta`; what only a dialog needs is here. A body is kept as
`entity_head(content_type)` and the bytes received, read with `read_entity`, and written with `write_entity`. Whatever is
read raises `Rejected` with a code `xta.…`, `xml.…` or `mime.…`; nothing is fetched and no text is taken on trust.
"""
