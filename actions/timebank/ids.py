"""Typed identities, so that a request's number cannot be passed where a member's is meant."""

from typing import NewType

MemberId = NewType("MemberId", int)
AccountId = NewType("AccountId", int)
TransferId = NewType("TransferId", int)
HoldId = NewType("HoldId", int)
RequestId = NewType("RequestId", int)
OfferId = NewType("OfferId", int)
AssignmentId = NewType("AssignmentId", int)
VisitId = NewType("VisitId", int)
RatingId = NewType("RatingId", int)
DisputeId = NewType("DisputeId", int)
AlertId = NewType("AlertId", int)
CheckInId = NewType("CheckInId", int)
NoticeId = NewType("NoticeId", int)
DeliveryId = NewType("DeliveryId", int)
ReminderId = NewType("ReminderId", int)
BindingId = NewType("BindingId", int)
DelegationId = NewType("DelegationId", int)
StaffAccountId = NewType("StaffAccountId", int)
LoginTryId = NewType("LoginTryId", int)
TurnId = NewType("TurnId", str)
"""Channel and message id, such as `talk:9f2c…`: the same message twice is one turn."""
