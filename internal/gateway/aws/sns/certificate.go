package sns

import (
	"errors"
	"net/http"

	"ottla/internal/event/sns"
)

// Mount puts the certificate of notifications on a mux. Anybody may read it: those who
// verify notifications may be anywhere.
func Mount(mux *http.ServeMux, topics Topics) {
	mux.HandleFunc("GET "+sns.CertificatePath+"{file}", func(w http.ResponseWriter, r *http.Request) {
		pem, err := topics.Certificate(r.Context(), r.PathValue("file"))
		switch {
		case errors.Is(err, sns.ErrNotFound):
			http.NotFound(w, r)
		case err != nil:
			http.Error(w, "the certificate cannot be read at the moment; try again", http.StatusServiceUnavailable)
		default:
			w.Header().Set("Content-Type", "application/x-pem-file")
			w.Write(pem)
		}
	})
}
