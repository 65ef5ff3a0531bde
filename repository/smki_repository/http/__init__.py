"""The HTTP/1.1 server: processes that serve a WSGI application, and bear clients that send or read slowly or not at all.

``processes`` starts and ends the workers. Each ``worker`` has one event loop, which owns all ``connection`` objects: it reads
requests whole before it passes them on, and sends responses as fast as each client reads them. Threads run the application
(``answer``); none of them ever waits for a client. docs/operation.md says why this is not one of the existing servers.
"""
