"""The page behind a path of somebody else's server."""

import contextlib
import threading
import time

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from tests.browser.test_prompt_tab import whole

PREFIX = "/stage/gpt"
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@contextlib.contextmanager
def proxy(target):
    """A reverse proxy that shows ``target`` below PREFIX, and nothing else."""
    client = httpx.AsyncClient(base_url=target, timeout=60)

    async def forward(request):
        headers = {k: v for k, v in request.headers.items() if k not in HOP_BY_HOP}
        path = f"/{request.path_params['path']}"
        call = client.build_request(
            request.method, path, params=request.query_params, headers=headers, content=await request.body()
        )
        answer = await client.send(call, stream=True)
        kept = {k: v for k, v in answer.headers.items() if k not in HOP_BY_HOP}
        return StreamingResponse(answer.aiter_raw(), answer.status_code, kept)

    async def of_the_host(request):
        return JSONResponse({})  # a browser asks the root of the host for these, prefix or not

    routes = [Route(PREFIX + "/{path:path}", forward, methods=["GET", "POST", "HEAD"])]
    routes += [Route(path, of_the_host) for path in ("/manifest.json", "/favicon.ico")]
    app = Starlette(routes=routes)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}{PREFIX}/"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@pytest.mark.parametrize("named", ["by the option", "by the environment"])
def test_the_page_writes_and_reloads_behind_a_path_prefix(open_page, serve, checkpoints, monkeypatch, named):
    options = {"root_path": PREFIX} if named == "by the option" else {}
    if not options:
        monkeypatch.setenv("GRADIO_ROOT_PATH", PREFIX)
    with serve(checkpoints, **options) as target, proxy(target) as url:
        page = open_page(url)
        page.locator("#gl-your-line textarea").fill("JULIET:")
        page.locator("#gl-your-line textarea").press("Enter")
        page.wait_for_function("document.querySelector('#gl-text')?.innerText.includes('JULIET:')")
        page.wait_for_function("document.documentElement.dataset.glStatus === 'done'")
        text = whole(page)
        assert text.startswith("JULIET:")
        assert PREFIX in page.url
        page.reload()
        page.wait_for_function(
            "(text) => document.querySelector('#gl-text')?.innerText.includes(text)", arg=text.split("\n")[0]
        )
        assert whole(page) == text
        page.get_by_role("switch", name="Think in this browser").check()  # its file and its worker are found there too
        page.wait_for_function("document.querySelector('.gl-spoken').textContent.endsWith('in this browser now.')")
        page.close()
