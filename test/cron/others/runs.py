"""Runs of cron expressions by croniter: a line of JSON in, a line out."""

import json
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import croniter

for line in sys.stdin:
    ask = json.loads(line)
    start = datetime.fromtimestamp(ask["from"], ZoneInfo(ask["zone"]))
    runs, error = [], ""
    try:
        it = croniter(ask["croniter"], start, ret_type=float)
        while len(runs) < ask["most"]:
            at = int(it.get_next(float))
            if at >= ask["until"]:
                break
            runs.append(at)
    except Exception as e:  # what it refuses is told
        error = f"{type(e).__name__}: {e}"
    print(json.dumps({"runs": runs, "error": error}), flush=True)
