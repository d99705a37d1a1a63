"""The sale as a state machine: a state and an event in, the next state and its effects out.

    attract → browsing → selected → (age check → ask for ID) → paying → dispensing → done → attract
                                                                  |           |
                                                              declined    refunding → done

Pure: no clock (`now` is the caller's, in seconds of a monotonic clock), no input or output. The effects are in order,
and a `Record` has to be in the journal before anything after it is done; so whatever dies at whatever instant, the
journal knows at least what the devices were told.

What holds in every order of events, duplicates and delays included:

- The motor turns only for an approved payment of the whole price, once, and only if the customer's age is clear.
- One age check a visit decides against a customer, and one in their favour counts for one payment. A check that was
  left by touch before it decided counts as one against: whoever saw it waver could otherwise begin anew, with another
  product or another face, until a lucky one. An ID can be shown as before. A visit ends when the camera has seen
  nobody in front of the first screen: to cancel and begin again is no new one.
- A payment that does not end in a drop is reversed, and the reversal repeated until the terminal acknowledges it.
  So is an approval that comes after cancel, time-out or restart, or that nobody asked for.
- Every answer names its transaction, vend or sale; one that fits nothing open changes nothing.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.vending.devices.dispenser import Dropped, NotDropped
from kiosk.vending.devices.faults import FaultChanged
from kiosk.vending.devices.id_check import IdConfirmed, IdRefused, WrongPin
from kiosk.vending.devices.protocols import Approved, Declined, Reversed, Settled
from kiosk.vending.journal.facts import AgeCleared, PaymentRequested, PinRefused, SaleOpened, VendUnknown
from kiosk.vending.journal.ledger import OpenSale
from kiosk.vending.sale.device_answers import on_payment, on_vend
from kiosk.vending.sale.events import (
    AgeChecked,
    Back,
    Cancel,
    Choose,
    Continue,
    EnterService,
    Event,
    LeaveService,
    PaymentTest,
    ServicePinRefused,
    SetCamera,
    SetPrice,
    SetStock,
    Settle,
    ShowId,
    Start,
    Stay,
    Tick,
    VendTest,
    VisitEnded,
    WalkedAway,
)
from kiosk.vending.sale.operator import on_operation
from kiosk.vending.sale.state import (
    BEFORE_DISPENSING,
    WITH_PRODUCT,
    Authorize,
    BeginId,
    Effect,
    Phase,
    Rules,
    State,
)
from kiosk.vending.sale.transition import Transition


def step(rules: Rules, state: State, event: Event, now: float) -> tuple[State, tuple[Effect, ...]]:
    """The state after `event` at `now`, and what has to be done, in order."""
    turn = Transition(rules, state, now)
    match event:
        case Tick():
            _on_time(turn)
        case Start() | SetCamera() | Choose() | Continue() | ShowId() | Stay() | Back() | Cancel():
            _on_touch(turn, event)
        case AgeChecked() | WalkedAway() | VisitEnded():
            _on_camera(turn, event)
        case IdConfirmed() | IdRefused() | WrongPin():
            _on_id(turn, event)
        case Approved() | Declined() | Reversed() | Settled():
            on_payment(turn, event)
        case Dropped() | NotDropped():
            on_vend(turn, event)
        case FaultChanged():
            faults = state.faults | {event.fault} if event.present else state.faults - {event.fault}
            turn.state = replace(state, faults=faults)
        case (
            EnterService()
            | LeaveService()
            | VendTest()
            | PaymentTest()
            | SetStock()
            | SetPrice()
            | Settle()
            | ServicePinRefused()
        ):
            on_operation(turn, event)
    if state.is_testing and not turn.state.is_testing:
        turn.renew()
    turn.finish()
    return turn.state, tuple(turn.effects)


def _on_touch(turn: Transition, touch: Start | SetCamera | Choose | Continue | ShowId | Stay | Back | Cancel) -> None:
    phase = turn.state.phase
    if phase in BEFORE_DISPENSING or (phase is Phase.SERVICE and not turn.state.is_testing):
        turn.renew()
    match touch:
        case Start() if phase is Phase.ATTRACT:
            turn.go(Phase.BROWSING)
            turn.state = replace(turn.state, camera=touch.camera)
        case SetCamera() if phase in BEFORE_DISPENSING:
            turn.state = replace(turn.state, camera=touch.on)
            if phase is Phase.AGE_CHECK and not touch.on:
                _ask_for_id(turn)
        case Choose() if phase in BEFORE_DISPENSING and turn.rules.available(turn.state.ledger, touch.slot):
            sale = turn.state.open_sale
            if phase is not Phase.SELECTED or sale is None or sale.slot != touch.slot:
                turn.leave(Phase.BROWSING, "another product")
                _open(turn, touch.slot)
        case Continue() if phase is Phase.SELECTED or turn.state.may_retry:
            _towards_payment(turn)
        case ShowId() if phase is Phase.AGE_CHECK:
            _ask_for_id(turn)
        case Back() if phase in WITH_PRODUCT:
            turn.leave(Phase.BROWSING, "cancelled")
        case Cancel() if phase in BEFORE_DISPENSING:
            turn.leave(Phase.ATTRACT, "cancelled")
        case Cancel() if phase is Phase.DONE or (phase is Phase.SERVICE and not turn.state.is_testing):
            turn.go(Phase.ATTRACT)
    if phase is Phase.AGE_CHECK and turn.state.phase is not Phase.AGE_CHECK:
        turn.state = replace(turn.state, id_is_needed=True)


def _on_camera(turn: Transition, event: AgeChecked | WalkedAway | VisitEnded) -> None:
    match event:
        case AgeChecked() if turn.state.phase is Phase.AGE_CHECK and event.sale == turn.state.sale:
            if event.passed:
                turn.record(AgeCleared(event.sale, "passed"))
                _pay(turn)
            else:
                _fail_age_check(turn)
        case WalkedAway() if turn.state.camera and turn.state.phase in BEFORE_DISPENSING - {Phase.PAYING}:
            turn.leave(Phase.ATTRACT, "walked away")
        case WalkedAway() if turn.state.phase is Phase.PAYING and _hangs_on_a_face(turn.state.open_sale):
            turn.take_back("walked away")
            turn.go(Phase.DECLINED, "timeout")
        case VisitEnded() if turn.state.phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER):
            turn.state = replace(turn.state, id_is_needed=False)


def _on_id(turn: Transition, message: IdConfirmed | IdRefused | WrongPin) -> None:
    if isinstance(message, WrongPin):  # also where its customer has gone meanwhile
        turn.record(PinRefused("attendant", message.sale, message.locked_s))
    if turn.state.phase is not Phase.ASK_ID or message.sale != turn.state.sale:
        return
    match message:
        case IdConfirmed():
            turn.record(AgeCleared(message.sale, "id_confirmed", message.method))
            _pay(turn)
        case IdRefused():
            turn.go(Phase.ID_REFUSED)
        case WrongPin():
            turn.renew()
            turn.state = replace(turn.state, reason="wrong_pin")


def _on_time(turn: Transition) -> None:
    deadline = turn.state.deadline
    if deadline is None or turn.now < deadline.end:
        return
    match turn.state.phase:
        case Phase.AGE_CHECK:
            _fail_age_check(turn)
        case Phase.PAYING:
            turn.take_back("timeout")
            turn.go(Phase.DECLINED, "timeout")
        case Phase.DISPENSING:
            _give_up_on_vend(turn)
            turn.go(Phase.REFUNDING, "silent")
        case Phase.REFUNDING:
            turn.go(Phase.DONE, "refund_pending")
        case Phase.SERVICE if turn.state.is_testing:
            _give_up_on_vend(turn)
            turn.take_back("timeout")
            turn.renew()
        case _:
            turn.leave(Phase.ATTRACT, "timeout")


def _open(turn: Transition, slot: str) -> None:
    item, ledger = turn.rules.items[slot], turn.state.ledger
    sale = turn.new_sale()
    price = ledger.price(slot, item.price, item.currency)
    turn.record(SaleOpened(sale, slot, item.product, price, item.currency, item.minimum_age))
    turn.state = replace(turn.state, sale=sale)
    turn.go(Phase.SELECTED)


def _towards_payment(turn: Transition) -> None:
    """To the payment, by way of the age check where the product has a minimum age.

    What the camera has passed is whoever stood there then: a second payment needs a second check. An ID stays good.
    """
    sale = turn.state.open_sale
    if sale is None:
        return
    if sale.age_is_clear and not _hangs_on_a_face(sale):
        _pay(turn)
    elif turn.state.camera and turn.rules.automatic_age_check and not turn.state.id_is_needed:
        turn.go(Phase.AGE_CHECK)
    else:
        _ask_for_id(turn)


def _hangs_on_a_face(sale: OpenSale | None) -> bool:
    """Whether the age is clear by nothing but what the camera saw."""
    return sale is not None and sale.minimum_age > 0 and sale.age == "passed"


def _fail_age_check(turn: Transition) -> None:
    turn.state = replace(turn.state, id_is_needed=True)
    _ask_for_id(turn)


def _ask_for_id(turn: Transition) -> None:
    sale = turn.state.open_sale
    if sale is None or not turn.rules.id_methods:
        turn.go(Phase.ID_REFUSED)
    else:
        turn.go(Phase.ASK_ID)
        turn.act(BeginId(sale.id, sale.minimum_age))


def _pay(turn: Transition) -> None:
    sale = turn.state.open_sale
    if sale is None or turn.state.faults:
        return
    if not turn.rules.available(turn.state.ledger, sale.slot):
        turn.go(Phase.BROWSING)
        return
    transaction = f"{sale.id}-{sale.attempts + 1}"
    turn.record(PaymentRequested(sale.id, transaction, sale.price))
    turn.act(Authorize(transaction, sale.price, sale.currency))
    turn.go(Phase.PAYING)
    turn.state = replace(turn.state, transaction=transaction)


def _give_up_on_vend(turn: Transition) -> None:
    sale = turn.state.open_sale
    if sale and sale.goods == "requested":
        turn.record(VendUnknown(sale.id, sale.slot, "silent"))
