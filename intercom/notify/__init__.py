"""Notifications: tells the services that the owner has named, through apprise, what happens at the door.

apprise is loaded only by a short-lived process, `child.py`.

Begin with `outbox.py`.
"""
