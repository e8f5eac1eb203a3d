"""The AMQP door and its way back; the only room that knows pika."""

from intermediary.ingress.amqp.answers import AmqpAnswers
from intermediary.ingress.amqp.door import AmqpDoor, AmqpSettings

__all__ = ["AmqpAnswers", "AmqpDoor", "AmqpSettings"]
