"""The serving program of guide 001, as its users have it, but for the import and our own data: python serve.py.

The lines below the application serve it on a free port, print that, and end with standard input.
"""

# ruff: noqa: ANN201 - as the guide's readers write it

import sys
import threading

from flask import Flask, Response, request
from sklearn.svm import SVC

from modelport import ModelMonitoringService

model = SVC(probability=True)  # pyright: ignore[reportArgumentType]
model.fit([[1.0, 40.0], [2.0, 30.0], [3.0, 20.0], [4.0, 10.0]], [False, True, False, True])

app = Flask(__name__)
monitor = ModelMonitoringService()


@app.route("/", methods=["POST"])
def predict():
    features = [2.1, 18.0]
    score = model.predict_proba([features])[:, 0].item()

    monitor.log_prediction(
        request_body=request.json,
        features=features,
        output=score,
    )
    return {"True": score}


@app.route("/metrics", methods=["GET"])
def get_metrics():
    body, content_type = monitor.export_http(
        params=request.args.to_dict(flat=False),
        headers=request.headers,
    )
    return Response(body, content_type=content_type)


if __name__ == "__main__":
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.shutdown()
