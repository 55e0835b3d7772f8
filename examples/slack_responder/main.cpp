// SPDX-License-Identifier: Apache-2.0
// Answers a slash command in Slack, and notes when somebody mentions the app.
// The answer to `/deploys` goes out with the webhook's own answer, which Slack
// shows at once; should the handler be slow, Slack gets its plain 200 in time,
// and the event is stored and handled all the same.
//
//   SLACK_SIGNING_SECRET=s3cret ./slack_responder [eventweft.toml]
//   eventweft send slack --type app_mention --secret s3cret
#include <eventweft/eventweft.hpp>

#include <atomic>
#include <cstdio>
#include <string>

using namespace eventweft;

int main(int argc, char** argv) {
  try {
    Config config = argc > 1 ? load_config(argv[1]) : Config{};
    config.use_environment().log_as_configured();
    App app{"Slack responder", config};
    std::atomic<int> mentions = 0;
    app.slack()
        .on("app_mention",
            [&](const Event& e) {
              ++mentions;
              std::printf("mentioned in %s by %s\n",
                          std::string{e.source_name()}.c_str(),
                          std::string{e.actor_id()}.c_str());
              std::fflush(stdout);
            })
        .on("slash_command:/deploys", [&](const Event&) {
          return Reply{{"response_type", "ephemeral"},
                       {"text", "All is deployed. I was mentioned " +
                                    std::to_string(mentions.load()) +
                                    " times."}};
        });
    app.run({.handle_signals = true, .on_start = [&app] {
               std::printf("listening on http://%s\n", app.address().c_str());
               std::fflush(stdout);
             }});
  } catch (const Error& e) {
    std::fprintf(stderr, "slack_responder: %s\n", e.what());
    return 1;
  }
}
