package portal

import (
	"net/http"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
)

type signInPage struct {
	Email, Next, Wrong string
}

func (p *Portal) signInForm(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, access.Viewer{}, http.StatusOK, "sign-in", frame{Title: "Sign in", Page: signInPage{Next: next(r)}})
}

// signIn answers whoever is wrong on the form itself, in the words of the front.
func (p *Portal) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(r); err != nil {
		return err
	}
	email := strings.TrimSpace(r.PostFormValue("email"))
	_, err := p.front.SignIn(w, r, email, r.PostFormValue("password"))
	if code := tocsin.CodeOf(err); err != nil && (code == tocsin.Forbidden || code == tocsin.Busy) {
		pr := httpd.Explain(w, err)
		return p.show(w, r, access.Viewer{}, pr.Status, "sign-in",
			frame{Title: "Sign in", Page: signInPage{email, next(r), pr.Message}})
	}
	if err != nil {
		return err
	}
	return see(w, r, next(r))
}

func (p *Portal) signOut(w http.ResponseWriter, r *http.Request) error {
	p.front.SignOut(w, r)
	return see(w, r, "/portal/sign-in?done=signed-out")
}

// next is where to go after signing in: a page of ours, whatever the address
// says.
func next(r *http.Request) string {
	to := r.FormValue("next")
	if !strings.HasPrefix(to, "/portal/") || strings.ContainsAny(to, "\\\r\n") || strings.HasPrefix(to, "/portal/sign-") {
		return "/portal/"
	}
	return to
}

// readForm reads a posted form. Its error is for whoever sent it.
func readForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		if tocsin.CodeOf(err) != tocsin.Internal {
			return err
		}
		return tocsin.Errorf(tocsin.Invalid, "the form can't be read: %w", err)
	}
	return nil
}
