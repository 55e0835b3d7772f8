// SPDX-License-Identifier: Apache-2.0
#include "app/cli/cli.hpp"
#include "app/serve.hpp"
#include "app/validate.hpp"

int main(int argc, char** argv) {
  return eventweft::cli::run(argc, argv,
                             {eventweft::run_serve, eventweft::faults_of});
}
