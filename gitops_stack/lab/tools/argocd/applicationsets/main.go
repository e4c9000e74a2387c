// Expand ApplicationSets as Argo CD's controller does: its generators, its templates, its repo-server's git.
// Reads {"applicationSets": […], "clusters": [Secrets]}; writes [{"applications": […]} or {"error": "…"}].
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/argoproj/argo-cd/v3/applicationset/controllers/template"
	"github.com/argoproj/argo-cd/v3/applicationset/generators"
	"github.com/argoproj/argo-cd/v3/applicationset/utils"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/reposerver/cache"
	"github.com/argoproj/argo-cd/v3/reposerver/metrics"
	"github.com/argoproj/argo-cd/v3/reposerver/repository"
	cacheutil "github.com/argoproj/argo-cd/v3/util/cache"
	"github.com/argoproj/argo-cd/v3/util/git"
	log "github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// repositories answers for one repository, from a folder of this machine.
type repositories struct {
	service *repository.Service
	url     string
	folder  string
}

func (r *repositories) repo(url string) (*v1alpha1.Repository, error) {
	if git.NormalizeGitURL(url) != git.NormalizeGitURL(r.url) {
		return nil, fmt.Errorf("repository %s is not here", url)
	}
	return &v1alpha1.Repository{Repo: "file://" + r.folder}, nil
}

func (r *repositories) GetFiles(ctx context.Context, url, revision, _, pattern string, _, _ bool) (map[string][]byte, error) {
	repo, err := r.repo(url)
	if err != nil {
		return nil, err
	}
	found, err := r.service.GetGitFiles(ctx, &apiclient.GitFilesRequest{Repo: repo, Revision: revision, Path: pattern})
	return found.GetMap(), err
}

func (r *repositories) GetDirectories(ctx context.Context, url, revision, _ string, _, _ bool) ([]string, error) {
	repo, err := r.repo(url)
	if err != nil {
		return nil, err
	}
	found, err := r.service.GetGitDirectories(ctx, &apiclient.GitDirectoriesRequest{Repo: repo, Revision: revision})
	return found.GetPaths(), err
}

// api is the API server: it has cluster Secrets, and any AppProject that is asked for.
type api struct {
	client.Client
	secrets []corev1.Secret
}

func (a *api) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return nil
}

func (a *api) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	wanted := (&client.ListOptions{}).ApplyOptions(options)
	found := list.(*corev1.SecretList)
	for _, secret := range a.secrets {
		if wanted.LabelSelector == nil || wanted.LabelSelector.Matches(labels.Set(secret.Labels)) {
			found.Items = append(found.Items, secret)
		}
	}
	return nil
}

// The same Secrets for the generator that lists clusters through a clientset.
type clientset struct {
	kubernetes.Interface
	api *api
}
type core struct {
	typedv1.CoreV1Interface
	api *api
}
type secrets struct {
	typedv1.SecretInterface
	api *api
}

func (c clientset) CoreV1() typedv1.CoreV1Interface   { return core{api: c.api} }
func (c core) Secrets(string) typedv1.SecretInterface { return secrets{api: c.api} }
func (s secrets) List(context.Context, metav1.ListOptions) (*corev1.SecretList, error) {
	return &corev1.SecretList{Items: s.api.secrets}, nil
}

type answer struct {
	Applications []v1alpha1.Application `json:"applications"`
	Error        string                 `json:"error,omitempty"`
}

func expand(set v1alpha1.ApplicationSet, all map[string]generators.Generator, c client.Client) (made answer) {
	defer func() { // as controller-runtime does
		if caught := recover(); caught != nil {
			made = answer{Error: fmt.Sprintf("panic: %v", caught)}
		}
	}()
	found, _, err := template.GenerateApplications(log.NewEntry(log.StandardLogger()), set, all, &utils.Render{}, c)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Applications: found}
}

func run(url, folder, scratch string) error {
	var asked struct {
		ApplicationSets []v1alpha1.ApplicationSet `json:"applicationSets"`
		Clusters        []corev1.Secret           `json:"clusters"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	memory := cacheutil.NewCache(cacheutil.NewInMemoryCache(time.Hour))
	kept := cache.NewCache(memory, time.Hour, time.Hour, time.Minute)
	service := repository.NewService(metrics.NewMetricsServer(), kept, repository.RepoServerInitConstants{}, git.NoopCredsStore{}, scratch)
	server := &api{secrets: asked.Clusters}
	repos := &repositories{service, url, folder}
	all := generators.GetGenerators(context.Background(), server, clientset{api: server}, "argocd", repos, nil, generators.SCMConfig{})
	answers := make([]answer, 0, len(asked.ApplicationSets))
	for _, set := range asked.ApplicationSets {
		answers = append(answers, expand(set, all, server))
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: applicationsets REPO_URL FOLDER < SETS")
		os.Exit(2)
	}
	log.SetOutput(io.Discard)
	scratch, err := os.MkdirTemp("", "applicationsets-")
	if err == nil {
		err = run(os.Args[1], os.Args[2], scratch)
		_ = os.RemoveAll(scratch)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
