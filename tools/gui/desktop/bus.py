"""Questions to applications over the accessibility bus (AT-SPI, which is D-Bus).

Many are sent before the first answer is read, so that a window costs a few round trips.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    HeaderFields,
    MessageType,
    new_method_call,
)
from jeepney.io.blocking import (  # type: ignore[import-untyped]
    DBusConnection,
    open_dbus_connection,
)

from tools.gui.failures import Failure

PATIENCE = 8.0
"""Seconds that applications get to answer; what does not answer by then is left out."""
AT_ONCE = 64
"""Questions on their way: more could fill the buffers of both sides."""
SPI = "org.a11y.atspi."
PROPERTIES = "org.freedesktop.DBus.Properties"
GONE = (OSError, ConnectionError, EOFError)


class Node(NamedTuple):
    """An accessible: its application's name on the bus, and its path there. Neither is given to
    another one as long as the application runs."""

    bus: str
    path: str


ROOT = Node("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")


class Call(NamedTuple):
    node: Node
    interface: str
    method: str
    signature: str = ""
    body: tuple[Any, ...] = ()


def about(node: Node, method: str, signature: str = "", *body: Any) -> Call:
    """A question that every accessible answers."""
    return Call(node, f"{SPI}Accessible", method, signature, body)


def name_of(node: Node) -> Call:
    return Call(node, PROPERTIES, "Get", "ss", (f"{SPI}Accessible", "Name"))


class Bus:
    """Connected to the accessibility bus of a session. Raises ``Failure`` crashed where there is
    none."""

    def __init__(self, session: str) -> None:
        try:
            with open_dbus_connection(session or "SESSION") as bus:
                asked = new_method_call(
                    DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus"), "GetAddress"
                )
                address = bus.send_and_get_reply(asked, timeout=PATIENCE).body[0]
            self._connection: DBusConnection = open_dbus_connection(address)
        except (*GONE, KeyError, ValueError, IndexError, TimeoutError) as error:
            raise Failure(
                "crashed",
                f"the accessibility bus cannot be reached ({error}); `corvid doctor` tells how to "
                "get it, and Desktop(pixels=True) does without.",
            ) from None

    def ask(self, calls: Sequence[Call]) -> list[Any]:
        """The answers in the order of the questions, None for each that was refused or is late.
        Raises ``Failure`` crashed when the bus is gone."""
        answers: list[Any] = []
        try:
            for i in range(0, len(calls), AT_ONCE):
                answers += self._ask(calls[i : i + AT_ONCE])
        except GONE as error:
            raise Failure("crashed", f"the accessibility bus is gone ({error}).") from None
        return answers

    def pid(self, node: Node) -> int:
        """Of the application's process, 0 where it is not known."""
        daemon = Node("org.freedesktop.DBus", "/org/freedesktop/DBus")
        asked = Call(daemon, "org.freedesktop.DBus", "GetConnectionUnixProcessID", "s", (node.bus,))
        return int(self.ask([asked])[0] or 0)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, calls: Sequence[Call]) -> list[Any]:
        connection = self._connection
        waiting: dict[int, int] = {}
        for i, call in enumerate(calls):
            address = DBusAddress(call.node.path, call.node.bus, call.interface)
            message = new_method_call(address, call.method, call.signature or None, call.body)
            serial = next(connection.outgoing_serial)
            waiting[serial] = i
            connection.send(message, serial=serial)
        answers: list[Any] = [None] * len(calls)
        while waiting:
            try:
                told = connection.receive(timeout=PATIENCE)
            except TimeoutError:
                break
            place = waiting.pop(told.header.fields.get(HeaderFields.reply_serial, -1), None)
            if place is not None and told.header.message_type == MessageType.method_return:
                answers[place] = _plain(told.body)
        return answers


def _plain(body: tuple[Any, ...]) -> Any:
    """A single answer without its wrappings; a variant is a type and a value."""
    if len(body) != 1:
        return body
    only = body[0]
    if isinstance(only, tuple) and len(only) == 2 and only[0] in ("s", "i", "d"):
        return only[1]
    return only
