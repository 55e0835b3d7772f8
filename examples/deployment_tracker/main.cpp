// SPDX-License-Identifier: Apache-2.0
// Knows what runs where: the latest successful deployment of each repository in
// each environment. When production changes, it says so with an event of its
// own, which streams and other handlers see like any other.
//
//   DEPLOYMENT_WEBHOOK_SECRET=s3cret ./deployment_tracker [eventweft.toml]
//   eventweft send deployments --type success --secret s3cret
#include <eventweft/eventweft.hpp>

#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <utility>

using namespace eventweft;

namespace {

class Tracker {
 public:
  /// True if this is news.
  bool deployed(const std::string& repository, const std::string& environment,
                const std::string& commit) {
    std::lock_guard guard{mutex_};
    auto& known = running_[{repository, environment}];
    return std::exchange(known, commit) != commit;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::string> running_;
};

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv) {
  try {
    Config config = argc > 1 ? load_config(argv[1]) : Config{};
    config.use_environment().log_as_configured();
    App app{"Deployment tracker", config};
    Tracker tracker;
    app.deployments().on(
        "deployment:success",
        [&](const Event& e, const Attempt& attempt) {
          const auto environment = e.text("environment").value_or("");
          const auto commit = e.text("commit_sha").value_or("unknown");
          const std::string repository{e.source_name()};
          if (!tracker.deployed(repository, environment, commit))
            return;
          say(repository + " in " + environment + " is now " + commit);
          if (environment == "production")
            // The key makes a repeated attempt submit the same event again.
            app.submit_custom_event({.platform = "deployment-tracker",
                                     .event_type = "production:changed",
                                     .payload = std::string{e.payload()},
                                     .priority = Priority::high,
                                     .event_id = attempt.idempotency_key,
                                     .source_name = repository});
        },
        {.name = "deployment-tracker", .ordering = Ordering::source});
    // Whoever wants to know is told, within this process here.
    app.subscribe_to_events("all_events",
                            [](const Event& e) {
                              say("changed: " + std::string{e.source_name()} +
                                  ", event " + std::to_string(e.seq()));
                            },
                            "announcer",
                            {.event_types = {"production:changed"}});
    app.run({.handle_signals = true, .on_start = [&app] {
               say("listening on http://" + app.address());
             }});
  } catch (const Error& e) {
    std::fprintf(stderr, "deployment_tracker: %s\n", e.what());
    return 1;
  }
}
