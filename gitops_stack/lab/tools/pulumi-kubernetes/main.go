// The Pulumi Kubernetes provider, as upstream's cmd/pulumi-resource-kubernetes builds it. The two JSON files are
// copied here from the provider's module folder when the lab builds its tools.
package main

import (
	_ "embed"
	"os"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

var version string // set by the linker

func main() {
	if version == "" {
		os.Stderr.WriteString("built without a version: use gitops-stack's own builder\n")
		os.Exit(2)
	}
	provider.Serve("kubernetes", version, schema, terraformMapping)
}
