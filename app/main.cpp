// SPDX-License-Identifier: Apache-2.0
#include "app/cli/cli.hpp"
#include "app/serve.hpp"
#include "app/validate.hpp"
#include "net/server.hpp"
#include "persistence/sqlite/store.hpp"

#ifdef EVENTWEFT_MIMALLOC
#include <mimalloc.h>
#endif

namespace {

// What is freed goes back to the kernel after this long. Buffers of a batch
// are needed again within a few batches, and each of their pages costs a fault
// if they went meanwhile; what a peak took is not kept either.
void keep_freed_pages() {
#ifdef EVENTWEFT_MIMALLOC
  constexpr long milliseconds = 250;
#if MI_MALLOC_VERSION >= 210
  constexpr auto delay = mi_option_purge_delay;
#else
  constexpr auto delay = mi_option_decommit_delay;
#endif
  // Unless the environment (MIMALLOC_…) says otherwise.
  mi_option_set_default(delay, milliseconds);
#endif
}

} // namespace

int main(int argc, char** argv) {
  keep_freed_pages();
  eventweft::sqlite::spare_memory_accounts();
  return eventweft::cli::run(argc, argv,
                             {eventweft::run_serve, eventweft::faults_of,
                              [](const auto& settings, bool guarded) {
                                return eventweft::net::may_listen(
                                    settings.server, guarded,
                                    settings.auth.required == "false");
                              }});
}
