"""The sale as a state machine: `step` takes a state and an event, and returns the next state and its effects.

    attract → browsing → selected → (age check → ask for ID) → paying → dispensing → done → attract
                                                                  |           |
                                                              declined    refunding → done

`step` is pure: it reads no clock (`now` comes from the caller, in seconds of a monotonic clock) and does no input or
output. The effects are in order. A `Record` must be in the journal before any later effect is carried out, so that
after any crash the journal knows at least what the devices were told.

These rules hold in every order of events, with duplicates and delays:

- The motor turns only for an approved payment of the whole price, once, and only if the customer's age is clear.
- One age check in a visit can decide against a customer, and one in their favour counts for one payment. A check that
  the customer left before it decided counts as one against them. Otherwise they could try again, with another product
  or another face, until a lucky result. They can still show an ID. A visit ends when the camera has seen no one in
  front of the first screen; cancelling and starting again does not end it.
- A payment that does not end in a drop is reversed, and the reversal repeated until the terminal acknowledges it. The
  same holds for an approval after a cancellation, a timeout or a restart, and for one that the kiosk did not request.
- Every answer names its transaction, vend or sale. An answer that matches nothing open changes nothing.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.vending.devices.protocols import (
    Approved,
    Declined,
    Dropped,
    FaultChanged,
    IdConfirmed,
    IdRefused,
    NotDropped,
    Reversed,
    Settled,
    WrongPin,
)
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
    """Returns the state after `event` at `now`, and the effects to carry out, in order."""
    transition = Transition(rules, state, now)
    match event:
        case Tick():
            _on_time(transition)
        case Start() | SetCamera() | Choose() | Continue() | ShowId() | Stay() | Back() | Cancel():
            _on_touch(transition, event)
        case AgeChecked() | WalkedAway() | VisitEnded():
            _on_camera(transition, event)
        case IdConfirmed() | IdRefused() | WrongPin():
            _on_id(transition, event)
        case Approved() | Declined() | Reversed() | Settled():
            on_payment(transition, event)
        case Dropped() | NotDropped():
            on_vend(transition, event)
        case FaultChanged():
            faults = state.faults | {event.fault} if event.present else state.faults - {event.fault}
            transition.state = replace(state, faults=faults)
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
            on_operation(transition, event)
    if state.is_testing and not transition.state.is_testing:
        transition.restart_deadline()
    transition.finish()
    return transition.state, tuple(transition.effects)


def _on_touch(
    transition: Transition, touch: Start | SetCamera | Choose | Continue | ShowId | Stay | Back | Cancel
) -> None:
    phase = transition.state.phase
    if phase in BEFORE_DISPENSING or (phase is Phase.SERVICE and not transition.state.is_testing):
        transition.restart_deadline()
    match touch:
        case Start() if phase is Phase.ATTRACT:
            transition.enter(Phase.BROWSING)
            transition.state = replace(transition.state, camera=touch.camera)
        case SetCamera() if phase in BEFORE_DISPENSING:
            transition.state = replace(transition.state, camera=touch.on)
            if phase is Phase.AGE_CHECK and not touch.on:
                _ask_for_id(transition)
        case Choose() if phase in BEFORE_DISPENSING and transition.rules.available(transition.state.ledger, touch.slot):
            sale = transition.state.open_sale
            if phase is not Phase.SELECTED or sale is None or sale.slot != touch.slot:
                transition.leave_sale(Phase.BROWSING, "another product")
                _open(transition, touch.slot)
        case Continue() if phase is Phase.SELECTED or transition.state.may_retry:
            _continue_to_payment(transition)
        case ShowId() if phase is Phase.AGE_CHECK:
            _ask_for_id(transition)
        case Back() if phase in WITH_PRODUCT:
            transition.leave_sale(Phase.BROWSING, "cancelled")
        case Cancel() if phase in BEFORE_DISPENSING:
            transition.leave_sale(Phase.ATTRACT, "cancelled")
        case Cancel() if phase is Phase.DONE or (phase is Phase.SERVICE and not transition.state.is_testing):
            transition.enter(Phase.ATTRACT)
    if phase is Phase.AGE_CHECK and transition.state.phase is not Phase.AGE_CHECK:
        transition.state = replace(transition.state, id_is_needed=True)


def _on_camera(transition: Transition, event: AgeChecked | WalkedAway | VisitEnded) -> None:
    state = transition.state
    match event:
        case AgeChecked() if state.phase is Phase.AGE_CHECK and event.sale == state.sale:
            if event.passed:
                transition.record(AgeCleared(event.sale, "passed"))
                _pay(transition)
            else:
                _fail_age_check(transition)
        case WalkedAway() if state.camera and state.phase in BEFORE_DISPENSING - {Phase.PAYING}:
            transition.leave_sale(Phase.ATTRACT, "walked away")
        case WalkedAway() if transition.state.phase is Phase.PAYING and _age_rests_on_camera(
            transition.state.open_sale
        ):
            transition.reverse_payment("walked away")
            transition.enter(Phase.DECLINED, "timeout")
        case VisitEnded() if state.phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER):
            transition.state = replace(state, id_is_needed=False)


def _on_id(transition: Transition, message: IdConfirmed | IdRefused | WrongPin) -> None:
    if isinstance(message, WrongPin):  # recorded even if its customer has left meanwhile
        transition.record(PinRefused("attendant", message.sale, message.locked_s))
    if transition.state.phase is not Phase.ASK_ID or message.sale != transition.state.sale:
        return
    match message:
        case IdConfirmed():
            transition.record(AgeCleared(message.sale, "id_confirmed", message.method))
            _pay(transition)
        case IdRefused():
            transition.enter(Phase.ID_REFUSED)
        case WrongPin():
            transition.restart_deadline()
            transition.state = replace(transition.state, reason="wrong_pin")


def _on_time(transition: Transition) -> None:
    deadline = transition.state.deadline
    if deadline is None or transition.now < deadline.end:
        return
    match transition.state.phase:
        case Phase.AGE_CHECK:
            _fail_age_check(transition)
        case Phase.PAYING:
            transition.reverse_payment("timeout")
            transition.enter(Phase.DECLINED, "timeout")
        case Phase.DISPENSING:
            _give_up_on_vend(transition)
            transition.enter(Phase.REFUNDING, "silent")
        case Phase.REFUNDING:
            transition.enter(Phase.DONE, "refund_pending")
        case Phase.SERVICE if transition.state.is_testing:
            _give_up_on_vend(transition)
            transition.reverse_payment("timeout")
            transition.restart_deadline()
        case _:
            transition.leave_sale(Phase.ATTRACT, "timeout")


def _open(transition: Transition, slot: str) -> None:
    item, ledger = transition.rules.items[slot], transition.state.ledger
    sale = transition.new_sale_id()
    price = ledger.price(slot, item.price, item.currency)
    transition.record(SaleOpened(sale, slot, item.product, price, item.currency, item.minimum_age))
    transition.state = replace(transition.state, sale=sale)
    transition.enter(Phase.SELECTED)


def _continue_to_payment(transition: Transition) -> None:
    """Goes on to the payment, through the age check if the product has a minimum age.

    The camera passed only the person who stood there then, so a second payment needs a second check. A confirmed ID
    stays valid for the sale.
    """
    sale = transition.state.open_sale
    if sale is None:
        return
    if sale.age_is_clear and not _age_rests_on_camera(sale):
        _pay(transition)
    elif transition.state.camera and transition.rules.automatic_age_check and not transition.state.id_is_needed:
        transition.enter(Phase.AGE_CHECK)
    else:
        _ask_for_id(transition)


def _age_rests_on_camera(sale: OpenSale | None) -> bool:
    """Tells whether only the camera's age check cleared the age."""
    return sale is not None and sale.minimum_age > 0 and sale.age == "passed"


def _fail_age_check(transition: Transition) -> None:
    transition.state = replace(transition.state, id_is_needed=True)
    _ask_for_id(transition)


def _ask_for_id(transition: Transition) -> None:
    sale = transition.state.open_sale
    if sale is None or not transition.rules.id_methods:
        transition.enter(Phase.ID_REFUSED)
    else:
        transition.enter(Phase.ASK_ID)
        transition.add(BeginId(sale.id, sale.minimum_age))


def _pay(transition: Transition) -> None:
    sale = transition.state.open_sale
    if sale is None or transition.state.faults:
        return
    if not transition.rules.available(transition.state.ledger, sale.slot):
        transition.enter(Phase.BROWSING)
        return
    transaction = f"{sale.id}-{sale.attempts + 1}"
    transition.record(PaymentRequested(sale.id, transaction, sale.price))
    transition.add(Authorize(transaction, sale.price, sale.currency))
    transition.enter(Phase.PAYING)
    transition.state = replace(transition.state, transaction=transaction)


def _give_up_on_vend(transition: Transition) -> None:
    sale = transition.state.open_sale
    if sale and sale.goods == "requested":
        transition.record(VendUnknown(sale.id, sale.slot, "silent"))
