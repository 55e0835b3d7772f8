// SPDX-License-Identifier: Apache-2.0
#include "app/cli/cli.hpp"
#include "app/serve.hpp"
#include "app/validate.hpp"
#include "net/server.hpp"
#include "persistence/sqlite/store.hpp"

int main(int argc, char** argv) {
  eventweft::sqlite::spare_memory_accounts();
  return eventweft::cli::run(argc, argv,
                             {eventweft::run_serve, eventweft::faults_of,
                              [](const auto& settings, bool guarded) {
                                return eventweft::net::may_listen(
                                    settings.server, guarded,
                                    settings.auth.required == "false");
                              }});
}
