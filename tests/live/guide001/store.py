"""The serving program of guide 000, as its users have it, but for the import and the number of calls."""

from modelport.bedrock import PredictionStore

store = PredictionStore()
for _ in range(3):
    store.log_prediction(request_body='{"event_id": "123"}', features=[0, 2, 1], output=0.921)
