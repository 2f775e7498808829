"""A client of MCP, in a process of its own: prints, as one JSON object, what a server offers and answers.

python mcp_client.py URL, with a JSON list of [tool, arguments] on its standard input.
"""

import asyncio
import json
import sys

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main(url, calls):
    async with streamablehttp_client(url) as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()
        tools = [tool.model_dump() for tool in (await session.list_tools()).tools]
        answers = []
        for name, arguments in calls:
            answer = await session.call_tool(name, arguments)
            answers.append({"error": answer.isError, "texts": [getattr(part, "text", "") for part in answer.content]})
        print(json.dumps({"tools": tools, "answers": answers}))


asyncio.run(main(sys.argv[1], json.load(sys.stdin)))
