"""The endpoint at which PagerDuty and Slack say who has an incident: proven by their signatures, and open to nothing else."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_alerts.errors import HearingRefused
from tocsin_console.api.wire import Json
from tocsin_console.parts import Hears


def hook_routes(hearing: Hears) -> list[Route]:
    """List the routes over what hears."""

    async def hear(request: Request) -> Response:
        name = request.path_params["channel"]
        if not hearing.hears(name):
            return Json({"error": "expected a channel with a webhook_secret or a signing_secret"}, status_code=404)
        body = await request.body()
        try:
            said = await run_in_threadpool(hearing.hear, name, body, dict(request.headers))
        except HearingRefused as refusal:
            return Json({"error": str(refusal)}, status_code=403)
        return Json({"heard": said})

    return [Route("/hooks/{channel}", hear, methods=["POST"])]
