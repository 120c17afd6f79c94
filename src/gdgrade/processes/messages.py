"""Small control messages between trusted processes, with file descriptors passed along."""

from __future__ import annotations

import array
import json
import socket
import struct
from typing import Any

MAX_MESSAGE = 4 << 20
MAX_FDS = 4
_LENGTH = struct.Struct("<I")


class Gone(Exception):
    """The other side has ended."""


def send_message(sock: socket.socket, message: dict[str, Any], fds: list[int] | None = None) -> None:
    """Send one message; `fds` are duplicated into the receiver.

    Raises:
        Gone: nobody listens any more.
    """
    data = json.dumps(message).encode()
    try:
        head = _LENGTH.pack(len(data))
        if fds:
            socket.send_fds(sock, [head], fds)
        else:
            sock.sendall(head)
        sock.sendall(data)
    except OSError as error:
        raise Gone(str(error)) from error


def receive_message(sock: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message and its descriptors.

    Raises:
        Gone: the other side has ended.
    """
    try:
        head, fds = _receive_head(sock)
        (length,) = _LENGTH.unpack(head)
        if length > MAX_MESSAGE:
            raise Gone("an oversized control message")
        data = bytearray()
        while len(data) < length:
            chunk = sock.recv(length - len(data))
            if not chunk:
                raise Gone("closed")
            data += chunk
    except OSError as error:
        raise Gone(str(error)) from error
    return json.loads(data), fds


def _receive_head(sock: socket.socket) -> tuple[bytes, list[int]]:
    head, fds = b"", array.array("i")
    while len(head) < _LENGTH.size:
        data, ancillary, _, _ = sock.recvmsg(_LENGTH.size - len(head), socket.CMSG_LEN(MAX_FDS * fds.itemsize))
        if not data:
            raise Gone("closed")
        head += data
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    return head, list(fds)
