"""The composition root: every adapter is opened here, and every part of the bot is put together here.

Processes, the Action and the tests build the bot from these modules and nowhere else; a test over the source holds
that. The modules are apart because the web process must stay small: `web` imports neither GitHub's client nor the agent
graph, `work` imports both.

    settings ─→ truth (store, queue) ─→ web    (webhooks, dashboard)
             └→ bus, github, memory, llm, scout ─→ work (lanes, sweeper, intake)
"""
