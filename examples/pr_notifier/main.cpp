// SPDX-License-Identifier: Apache-2.0
// Tells about each pull request, once, in the order of its repository.
//
//   GITHUB_WEBHOOK_SECRET=s3cret ./pr_notifier [eventweft.toml]
//   eventweft send github --event pull_request --secret s3cret
#include <eventweft/eventweft.hpp>

#include <cstdio>
#include <string>

using namespace eventweft;

namespace {

std::string text(const Event& e, const char* path) {
  return e.text(path).value_or("?");
}

Reply notify(const Event& e) {
  // Put a mail, a chat message or a pager here. If it throws, the event comes
  // again; `Attempt::idempotency_key` tells a repeat from something new.
  std::printf("%s#%s %s by %s: %s\n", std::string{e.source_name()}.c_str(),
              text(e, "number").c_str(), text(e, "action").c_str(),
              std::string{e.actor_name()}.c_str(),
              text(e, "pull_request.title").c_str());
  std::fflush(stdout);
  return Reply{{"message", "PR processed"}};
}

} // namespace

int main(int argc, char** argv) {
  try {
    Config config = argc > 1 ? load_config(argv[1]) : Config{};
    config.use_environment().log_as_configured();
    App app{"PR notifier", config};
    app.github().on("pull_request", notify,
                    {.name = "pr-notifier",
                     .max_retries = 5,
                     .ordering = Ordering::source});
    app.run({.handle_signals = true, .on_start = [&app] {
               std::printf("listening on http://%s\n", app.address().c_str());
               std::fflush(stdout);
             }});
  } catch (const Error& e) {
    std::fprintf(stderr, "pr_notifier: %s\n", e.what());
    return 1;
  }
}
