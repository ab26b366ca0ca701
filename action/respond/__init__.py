"""`mode: respond`: the bot's own handlers on the event of a workflow, with no server."""
