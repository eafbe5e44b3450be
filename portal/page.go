package portal

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets/*
var assetFiles embed.FS

// A frame is what surrounds the content of every page.
type frame struct {
	Title string
	Name  string // of the page's template
	Here  string // the part of the menu
	Who   *who   // nil: nobody is signed in
	Menu  []entry
	Done  string // what has just been done
	Page  any
}

// who is signed in.
type who struct{ Name, Org string }

type entry struct {
	Path, Word string
	Here       bool
}

// pages are the templates, each with the frame around it.
var pages = func() map[string]*template.Template {
	common := template.Must(template.New("").Funcs(funcs).ParseFS(pageFiles, "pages/frame.html", "pages/parts.html"))
	files, err := pageFiles.ReadDir("pages")
	if err != nil {
		panic(err)
	}
	all := map[string]*template.Template{}
	for _, f := range files {
		t := template.Must(template.Must(common.Clone()).ParseFS(pageFiles, "pages/"+f.Name()))
		all[strings.TrimSuffix(f.Name(), ".html")] = t
	}
	return all
}()

var funcs = template.FuncMap{
	"text": text, "plain": plain, "brief": brief, "count": count,
	"asset": assetPath, "sentence": sentence,
	"number":   func(n any) string { i, _ := strconv.ParseInt(fmt.Sprint(n), 10, 64); return number(i) },
	"ask":      func(s string) string { return "/portal/?q=" + url.QueryEscape(s) },
	"selected": func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) },
}

// show writes a page. It is made in memory first, so that an error in the
// middle shows a page that says so, and not half of one.
func (p *Portal) show(w http.ResponseWriter, r *http.Request, v access.Viewer, status int, name string, f frame) error {
	f.Title, f.Name = plain(f.Title), name
	f.Who = p.whoIs(v)
	if f.Who != nil {
		f.Menu = p.menu(v, f.Here)
	}
	if f.Done == "" {
		f.Done = dones[r.URL.Query().Get("done")]
	}
	var b bytes.Buffer
	if err := pages[name].ExecuteTemplate(&b, "frame", f); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	// With no-referrer browsers send "Origin: null" with our own forms, which looks
	// like another site's where there is no TLS (Fetch standard, section 3.1).
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	return err
}

// dones are what has just been done, by the word that the address carries.
var dones = map[string]string{
	"published":    "Published. Subscribers are told at once.",
	"unpublished":  "Unpublished. Subscribers drop what only this event claimed.",
	"distribution": "The distribution is changed.",
	"deleted":      "Deleted for good.",
	"withdrawn":    "Withdrawn. Peers and subscribers are told to drop it.",
	"overridden":   "It is blocked although it is guarded. Subscribers are told at once.",
	"upheld":       "It is not blocked any more. Subscribers are told to drop it.",
	"shared":       "Shared.",
	"added":        "Added.",
	"key-removed":  "The key is removed; it opens nothing any more.",
	"password":     "Your password is changed. Your other sessions have ended.",
	"signed-out":   "You are signed out.",
}

// who asked for a page that failed, as far as a session says so: a wrong key must
// not be tried twice.
func (p *Portal) who(r *http.Request) access.Viewer {
	if r.Header.Get("Authorization") != "" {
		return access.Viewer{}
	}
	v, err := p.front.Who(r)
	if err != nil {
		return access.Viewer{}
	}
	return v
}

func (p *Portal) whoIs(v access.Viewer) *who {
	if v.Org() == 0 {
		return nil
	}
	return &who{v.Name(), p.orgName(v, v.Org())}
}

func (p *Portal) orgName(v access.Viewer, id int64) string {
	o, err := store.One[*tocsin.Organisation](p.as(v), id)
	if err != nil {
		return "organisation " + strconv.FormatInt(id, 10)
	}
	return o.Name
}

func (p *Portal) menu(v access.Viewer, here string) []entry {
	m := []entry{{Path: "/portal/", Word: "Look up"}, {Path: "/portal/events", Word: "Events"}}
	if p.Desk != nil && v.May(access.Add) {
		m = append(m, entry{Path: "/portal/share", Word: "Share"})
	}
	m = append(m, entry{Path: "/portal/collections", Word: "Collections"}, entry{Path: "/portal/account", Word: "Account"})
	for i := range m {
		m[i].Here = m[i].Path == here
	}
	return m
}

// renderError shows a problem as a page. Whoever has not signed in is sent to
// do so, and back.
func (p *Portal) renderError(w http.ResponseWriter, r *http.Request, pr httpd.Problem) {
	if errors.Is(pr.Err, httpd.ErrAnonymous) {
		to := "/portal/sign-in"
		if r.Method == http.MethodGet && r.URL.Path != "/portal/" {
			to += "?next=" + url.QueryEscape(r.URL.RequestURI())
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	type fault struct {
		Status        int
		Head, Message string
	}
	head := cmp.Or(map[int]string{
		http.StatusNotFound:            "Nothing here",
		http.StatusForbidden:           "Not allowed",
		http.StatusBadRequest:          "That can't be done",
		http.StatusConflict:            "That can't be done",
		http.StatusServiceUnavailable:  "Too busy at the moment",
		http.StatusInternalServerError: "Something went wrong",
	}[pr.Status], "That can't be done")
	f := fault{pr.Status, head, pr.Message}
	if p.show(w, r, p.who(r), pr.Status, "error", frame{Title: head, Page: f}) != nil {
		w.WriteHeader(pr.Status) // the page itself is broken; the log has why
	}
}

// id is the number of a record in the path. What is no number is not there.
func id(r *http.Request) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || n < 1 {
		return 0, tocsin.Errorf(tocsin.NotFound, "there is nothing at %s", r.URL.Path)
	}
	return n, nil
}

// stamps are what the addresses of assets carry, so that browsers can keep them
// until they change.
var stamps = func() map[string]string {
	m := map[string]string{}
	for _, name := range []string{"portal.css", "portal.js", "bell.svg"} {
		b, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(b)
		m[name] = hex.EncodeToString(sum[:6])
	}
	return m
}()

func assetPath(name string) string { return "/portal/static/" + name + "?v=" + stamps[name] }

var media = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// static serves the stylesheet, the script and the bell.
func static(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	stamp, ok := stamps[name]
	if !ok {
		return tocsin.Errorf(tocsin.NotFound, "there is nothing at %s", r.URL.Path)
	}
	h := w.Header()
	h.Set("Content-Type", media[path.Ext(name)])
	if r.URL.Query().Get("v") == stamp {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	b, err := assetFiles.ReadFile("assets/" + name)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}
