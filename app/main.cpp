// SPDX-License-Identifier: Apache-2.0
#include "app/cli/cli.hpp"
#include "app/serve.hpp"

int main(int argc, char** argv) {
  return eventweft::cli::run(argc, argv, {eventweft::run_serve});
}
