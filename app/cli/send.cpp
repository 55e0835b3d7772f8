// SPDX-License-Identifier: Apache-2.0
#include "app/cli/action.hpp"
#include "app/cli/commands.hpp"
#include "app/cli/connection.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/selection.hpp"
#include "app/cli/webhook_request.hpp"
#include "messages/uuid.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

namespace eventweft::cli {

namespace {

expected<std::string> read_all(const std::string& path) {
  if (path == "-")
    return std::string{std::istreambuf_iterator<char>{std::cin}, {}};
  try {
    std::ifstream in{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (in.is_open() && !in.bad())
      return text;
  } catch (const std::ios_base::failure&) {
    // A directory is opened, but not read.
  }
  return fail(ec::bad_configuration, "--file: cannot read " + path);
}

std::string secret_from_environment(std::string_view platform) {
  const auto env = config::process_environment();
  std::string_view name;
  if (platform == "github")
    name = "GITHUB_WEBHOOK_SECRET";
  else if (platform == "slack")
    name = "SLACK_SIGNING_SECRET";
  else if (platform == "linear")
    name = "LINEAR_WEBHOOK_SECRET";
  else if (platform == "deployments")
    name = "DEPLOYMENT_WEBHOOK_SECRET";
  const auto found = env.find(std::string{name});
  if (found == env.end())
    return {};
  // The first of several is the newest.
  return found->second.substr(0, found->second.find(','));
}

expected<webhook_draft> make_draft(const send_options& options) {
  webhook_draft draft;
  draft.platform = options.platform;
  draft.type = options.type;
  draft.secret = options.secret.empty()
                     ? secret_from_environment(options.platform)
                     : options.secret;
  draft.refresh_payload = !options.as_is;
  if (!options.content_type.empty())
    draft.content_type = options.content_type;
  if (!options.file.empty()) {
    auto body = read_all(options.file);
    if (!body)
      return fail(body.error());
    draft.body = std::move(*body);
    return draft;
  }
  if (options.platform == "events" && !options.type.empty()) {
    draft.body = "{}";
    return draft;
  }
  draft.body = sample_payload(options.platform, options.type);
  if (options.platform == "deployments" && draft.body.empty())
    draft.body = sample_payload(options.platform, {});
  if (draft.body.empty()) {
    const auto known = sample_types(options.platform);
    return fail(ec::bad_configuration,
                known.empty()
                    ? "no sample for \"" + options.platform + "\"; use --file"
                    : "no sample of that type (there are " + known +
                          "); use --file");
  }
  if (draft.type.empty())
    draft.type = default_type(options.platform);
  return draft;
}

expected<void> add_headers(http_request& request,
                           const std::vector<std::string>& lines) {
  for (const auto& line : lines) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || colon == 0 ||
        line.find_first_of("\r\n") != std::string::npos)
      return fail(ec::bad_configuration, "--header: expected NAME:VALUE");
    const auto start = line.find_first_not_of(' ', colon + 1);
    const auto name = line.substr(0, colon);
    const auto value =
        start == std::string::npos ? std::string{} : line.substr(start);
    request.headers.emplace_back(name, value);
  }
  return {};
}

} // namespace

int send(const send_options& options, console& io) {
  const auto draft = make_draft(options);
  if (!draft)
    return report(draft.error(), io);
  auto server = options.server;
  // They prove themselves by a bearer token, whatever it is called.
  if (options.platform == "events" && !options.secret.empty())
    server.token = options.secret;
  const auto client = connect_to(server);
  if (!client)
    return report(client.error(), io);
  (*client)->stop_on_signals();
  system_clock clock;
  system_random random;
  int code = exit_ok;
  for (uint32_t i = 0; i < options.count; ++i) {
    if (i != 0 && options.interval > 0 &&
        !(*client)->pause(std::chrono::milliseconds{
            static_cast<int64_t>(options.interval * 1'000)}))
      break;
    auto one = *draft;
    // Repeated sends are deliveries of their own.
    one.delivery = options.delivery.empty() || i != 0
                       ? to_string(uuid::v7(clock.now(), random))
                       : options.delivery;
    auto request = make_webhook(std::move(one), clock.now());
    if (request)
      if (auto added = add_headers(*request, options.headers); !added)
        request = fail(added.error());
    if (!request)
      return report(request.error(), io);
    const auto answer = (*client)->send(*request);
    if (!answer)
      return report(answer.error(), io);
    if (answer->status >= 200 && answer->status < 300) {
      io.out << printable(one_line(answer->body)) << '\n';
      io.out.flush();
    } else {
      io.err << "eventweft: " << failure_text(*answer) << '\n';
      code = exit_failure;
    }
    if (!io.out.good())
      break;
  }
  return code;
}

void add_send(CLI::App& app, runner& run) {
  const auto o = std::make_shared<send_options>();
  auto* sub = add_action(app, run, o, "send",
                         "Send a webhook, signed as its platform would", send);
  sub->add_option("platform", o->platform,
                  "github, slack, linear, deployments, events, or another "
                  "platform's name")
      ->required();
  sub->add_option("--event,--type", o->type,
                  "What the payload is: pull_request, Issue, …");
  auto* file =
      sub->add_option("--file", o->file, "The payload; - is standard input")
          ->type_name("FILE");
  sub->add_flag("--sample", o->sample,
                "A sample payload of the given type; so it is without --file")
      ->excludes(file);
  sub->add_option("--secret", o->secret,
                  "Signs the payload (default: GITHUB_WEBHOOK_SECRET, "
                  "SLACK_SIGNING_SECRET, LINEAR_WEBHOOK_SECRET, "
                  "DEPLOYMENT_WEBHOOK_SECRET); platforms that are not shipped "
                  "are signed for by Standard Webhooks");
  sub->add_option("--delivery", o->delivery,
                  "The delivery's id (default: a new one)");
  sub->add_option("--header", o->headers, "One more header; may be repeated")
      ->type_name("NAME:VALUE")
      ->allow_extra_args(false);
  sub->add_option("--content-type", o->content_type,
                  "Default application/json");
  sub->add_option("--count", o->count,
                  "Send so often, each with an id of its own")
      ->check(CLI::Range(1u, 1'000'000'000u));
  sub->add_option("--interval", o->interval, "Seconds between two sends")
      ->check(CLI::Range(0.0, 86'400.0));
  sub->add_flag("--as-is", o->as_is,
                "Leave ids and times within the payload alone");
  sub->footer(
      "Examples:\n"
      "  eventweft send github --secret s3cret\n"
      "  eventweft send github --event pull_request --file pr.json\n"
      "  eventweft send slack --type message --count 100 --interval 0.1\n"
      "  eventweft send events --type build:finished --file result.json");
}

} // namespace eventweft::cli
