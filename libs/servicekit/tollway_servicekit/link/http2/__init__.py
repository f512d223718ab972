"""
The `Carry` stream spoken by ourselves: HTTP/2 with gRPC's framing, one stream on a connection, on asyncio transports.

A message of a stream through grpcio costs some 170 µs of CPU, whatever it carries: threads, wake-ups, a completion
queue. Here a message is one `transport.write`, and what was read is handed to the link in the same call.

    wire         frames of HTTP/2, made and taken apart
    headers      header blocks: how a Carry stream begins and ends
    envelope     gRPC's prefix and the protobuf message around a link's frames
    outgoing     what leaves, within the peer's windows
    incoming     what came: a stream's bytes, and what the peer may still send
    framing      where frames begin and end in what was read
    keepalive    a peer that vanished is noticed
    connection   all of it as one protocol, for both ends
    caller, callee   what each end does at the beginning and the end of a stream
"""
