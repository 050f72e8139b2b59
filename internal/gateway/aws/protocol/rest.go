package protocol

import "net/http"

// REST is rest-json: the operation in method and path, which the service has
// read already, errors by name in a header.
type REST struct{}

// Serve runs op.
func (f REST) Serve(w http.ResponseWriter, r *http.Request, c *Call, op Op) *Error {
	return serve(f, w, r, c, op, readJSON(r))
}

func (REST) answer(w http.ResponseWriter, c *Call, _ Op, out any) *Error {
	return writeJSON(w, c, "application/json", http.StatusOK, out)
}

// Refuse writes an error.
func (REST) Refuse(w http.ResponseWriter, c *Call, e *Error) {
	w.Header().Set("X-Amzn-Errortype", e.Shape)
	writeJSON(w, c, "application/json", e.HTTPStatus(), struct {
		Message string `json:"Message"`
	}{e.Message})
}
