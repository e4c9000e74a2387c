// Renders sources with the code of Argo CD's repo-server: JSON in, JSON out, no cluster.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/sirupsen/logrus"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/reposerver/repository"
	apppath "github.com/argoproj/argo-cd/v3/util/app/path"
	"github.com/argoproj/argo-cd/v3/util/argo"
	"github.com/argoproj/argo-cd/v3/util/git"
	utilio "github.com/argoproj/argo-cd/v3/util/io"
)

type question struct {
	Root         string
	App          string
	Namespace    string
	Project      string
	Source       v1alpha1.ApplicationSource
	Several      bool
	Refs         map[string]string
	BuildOptions string
	KubeVersion  string
	Disabled     []string
}

type answer struct {
	Type    string            `json:"type"`
	Objects []json.RawMessage `json:"objects"`
	Error   string            `json:"error"`
}

func render(asked question) (answer, error) {
	source := asked.Source
	if !asked.Several {
		source = *argo.NormalizeApplicationSpec(&v1alpha1.ApplicationSpec{Source: &source}).Source
	}
	if err := apppath.CheckOutOfBoundsSymlinks(asked.Root); err != nil {
		return answer{}, err
	}
	path, err := apppath.Path(asked.Root, source.Path)
	if err != nil {
		return answer{}, err
	}
	enabled := map[string]bool{}
	for _, kind := range asked.Disabled {
		enabled[kind] = false
	}
	paths := utilio.NewRandomizedTempPaths(os.TempDir())
	refs := map[string]*v1alpha1.RefTarget{}
	for name, root := range asked.Refs {
		url := "https://git.example.com/" + name
		refs["$"+name] = &v1alpha1.RefTarget{Repo: v1alpha1.Repository{Repo: url}}
		paths.Add(git.NormalizeGitURL(url), root)
	}
	request := &apiclient.ManifestRequest{
		Repo:               &v1alpha1.Repository{Repo: source.RepoURL},
		AppName:            asked.App,
		Namespace:          asked.Namespace,
		ProjectName:        asked.Project,
		ApplicationSource:  &source,
		KustomizeOptions:   &v1alpha1.KustomizeOptions{BuildOptions: asked.BuildOptions},
		KubeVersion:        asked.KubeVersion,
		RefSources:         refs,
		HasMultipleSources: asked.Several,
		EnabledSourceTypes: enabled,
		HelmOptions:        &v1alpha1.HelmOptions{ValuesFileSchemes: []string{"https", "http"}},
	}
	made, err := repository.GenerateManifests(
		context.Background(), path, asked.Root, "0000000000000000000000000000000000000000", request, false,
		git.NoopCredsStore{}, resource.MustParse("10M"), paths)
	if err != nil {
		return answer{}, err
	}
	objects := []json.RawMessage{}
	for _, manifest := range made.Manifests {
		// The controller's next step: an object that it cannot read fails the comparison.
		if _, err := v1alpha1.UnmarshalToUnstructured(manifest); err != nil {
			return answer{}, err
		}
		objects = append(objects, json.RawMessage(manifest))
	}
	return answer{Type: made.SourceType, Objects: objects}, nil
}

func main() {
	logrus.SetLevel(logrus.FatalLevel)
	var asked []question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	answers := []answer{}
	for _, one := range asked {
		made, err := render(one)
		if err != nil {
			made.Error = err.Error()
		}
		answers = append(answers, made)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		os.Exit(1)
	}
}
