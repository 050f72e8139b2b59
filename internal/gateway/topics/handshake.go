package topics

import (
	"net/http"
	"strconv"

	"ottla/internal/gateway/rest"
)

// handshake answers who asks whether he may send events here, as CloudEvents' webhooks
// do before they deliver: he may, as often as he wants. A callback is not needed, since
// the answer comes at once.
func (d *door) handshake(w http.ResponseWriter, r *http.Request) error {
	if _, _, err := d.find(r); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Allow", "POST, GET, OPTIONS")
	if origin := r.Header.Get("WebHook-Request-Origin"); origin != "" {
		h.Set("WebHook-Allowed-Origin", origin)
		rate := r.Header.Get("WebHook-Request-Rate")
		switch n, err := strconv.Atoi(rate); {
		case rate == "" || rate == "*":
			rate = "*"
		case err != nil || n < 1:
			return rest.Invalid("WebHook-Request-Rate is %.40q; want how many requests a minute, or *", rate)
		}
		h.Set("WebHook-Allowed-Rate", rate)
	}
	w.WriteHeader(http.StatusOK)
	return nil
}
