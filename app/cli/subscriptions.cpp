// SPDX-License-Identifier: Apache-2.0
#include "app/cli/subscriptions.hpp"

#include "app/cli/action.hpp"
#include "app/cli/api_call.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/json_body.hpp"
#include "app/cli/selection.hpp"
#include "app/cli/streams.hpp"

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::cli {

namespace {

struct subscription_options {
  connection server;
  std::string stream;
  std::string id;
  /// Where events go. This and what follows as given: whether an empty one
  /// will do the server knows.
  std::optional<std::string> to;
  std::string type;
  std::optional<std::string> subscriber;
  std::string filter;
  std::optional<std::string> format;
  std::string secret;
  bool asymmetric = false;
  std::vector<std::string> headers;
  bool ordered = false;
  bool parallel = false;
  std::optional<uint32_t> max_concurrent;
  std::optional<double> rate;
  std::string since;
  std::string until;
  std::string event;
  bool dry_run = false;
  bool drop_old = false;
  uint64_t limit = 50;
  bool json = false;
};

std::string subscriptions_path(const subscription_options& o) {
  return stream_path(o.stream) + "/subscriptions";
}

std::string subscription_path(const subscription_options& o) {
  return subscriptions_path(o) + '/' + url_escaped(o.id);
}

/// A seq goes as a number, anything else as a text.
expected<void> add_since(json_body& body, const std::string& given) {
  if (given.empty())
    return {};
  const auto since = absolute_since(given, system_clock{}.now());
  if (!since)
    return fail(since.error());
  int64_t seq = 0;
  const auto* end = since->data() + since->size();
  const auto read = std::from_chars(since->data(), end, seq);
  if (read.ec == std::errc{} && read.ptr == end)
    body.raw("since", *since);
  else
    body.text("since", *since);
  return {};
}

/// "name:value" each; a single empty one stands for none.
expected<std::string> headers_json(const std::vector<std::string>& headers) {
  json_body out;
  if (headers.size() == 1 && headers.front().empty())
    return std::move(out).finish();
  for (const auto& line : headers) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || colon == 0)
      return fail(ec::bad_configuration,
                  "--header: expected NAME:VALUE, got " + line);
    auto value = line.substr(colon + 1);
    value.erase(0, value.find_first_not_of(' '));
    out.text(line.substr(0, colon), value);
  }
  return std::move(out).finish();
}

/// What both creating and changing may say.
expected<void> add_settings(json_body& body, const subscription_options& o) {
  if (o.to)
    body.text("url", *o.to);
  if (o.subscriber)
    body.text("subscriber_id", *o.subscriber);
  if (auto added = add_filter(body, o.filter); !added)
    return added;
  if (o.format)
    body.text("format", *o.format);
  if (o.ordered || o.parallel)
    body.flag("ordered", o.ordered);
  if (o.max_concurrent)
    body.raw("max_concurrent", std::to_string(*o.max_concurrent));
  if (o.rate)
    body.raw("rate_per_second", std::to_string(*o.rate));
  if (!o.headers.empty()) {
    const auto headers = headers_json(o.headers);
    if (!headers)
      return fail(headers.error());
    body.raw("headers", *headers);
  }
  return {};
}

int create_subscription(const subscription_options& o, console& io) {
  json_body body;
  if (const auto ok = add_settings(body, o); !ok)
    return report(ok.error(), io);
  if (!o.type.empty())
    body.text("type", o.type);
  if (!o.secret.empty())
    body.text("secret", o.secret);
  else if (o.asymmetric)
    body.text("signature", "v1a");
  if (const auto ok = add_since(body, o.since); !ok)
    return report(ok.error(), io);
  return ask_and_show(
      o.server,
      with_body("POST", subscriptions_path(o), std::move(body).finish()), "",
      io);
}

int patch(const subscription_options& o, std::string body, console& io) {
  return ask_and_show(o.server,
                      with_body("PATCH", subscription_path(o), std::move(body)),
                      "", io);
}

int change_subscription(const subscription_options& o, console& io) {
  json_body body;
  if (const auto ok = add_settings(body, o); !ok)
    return report(ok.error(), io);
  return patch(o, std::move(body).finish(), io);
}

int rotate_secret(const subscription_options& o, console& io) {
  json_body body;
  if (o.drop_old) {
    body.flag("drop_old_secrets", true);
  } else {
    body.flag("rotate_secret", true);
    if (!o.secret.empty())
      body.text("secret", o.secret);
  }
  return patch(o, std::move(body).finish(), io);
}

int replay(const subscription_options& o, console& io) {
  json_body body;
  if (!o.event.empty())
    body.text("event_id", o.event);
  if (const auto ok = add_since(body, o.since); !ok)
    return report(ok.error(), io);
  const auto until = past_time("--until", o.until, system_clock{}.now());
  if (!until)
    return report(until.error(), io);
  if (!until->empty())
    body.text("until", *until);
  if (const auto added = add_filter(body, o.filter); !added)
    return report(added.error(), io);
  if (o.dry_run)
    body.flag("dry_run", true);
  return ask_and_show(o.server,
                      with_body("POST", subscription_path(o) + "/replay",
                                std::move(body).finish()),
                      "", io);
}

int list_subscriptions(const subscription_options& o, console& io) {
  return show_list(o.server, {subscriptions_path(o), "subscriptions"}, o.json,
                   io, [&io](simdjson::dom::element s) {
                     io.out << shown(s, "/id") << "  " << shown(s, "/type")
                            << "  " << shown(s, "/statistics/state");
                     if (shown(s, "/statistics/state") == "elsewhere") {
                       io.out << "  at " << shown(s, "/statistics/owner")
                              << "  " << shown(s, "/url") << '\n';
                       return;
                     }
                     io.out << "  sent " << shown(s, "/statistics/sent")
                            << "  errors " << shown(s, "/statistics/errors")
                            << "  behind " << shown(s, "/statistics/lag_events")
                            << "  " << shown(s, "/url") << '\n';
                   });
}

int list_deliveries(const subscription_options& o, console& io) {
  return show_list(
      o.server, {subscription_path(o) + "/deliveries", "deliveries", o.limit},
      o.json, io, [&io](simdjson::dom::element d) {
        io.out << shown(d, "/created_at").substr(0, 19) << "  "
               << shown(d, "/event_id") << "  " << shown(d, "/attempt") << "x  "
               << shown(d, "/status") << "  " << shown(d, "/response_status")
               << "  " << shown(d, "/error_message") << '\n';
      });
}

using subscription_ptr = std::shared_ptr<subscription_options>;

void add_place(CLI::App& sub, const subscription_ptr& o, bool with_id) {
  sub.add_option("stream", o->stream, "The stream")->required();
  if (with_id)
    sub.add_option("id", o->id, "The subscription")->required();
}

void add_settings_options(CLI::App& sub, const subscription_ptr& o) {
  add_text(sub, "--subscriber", o->subscriber, "Whose it is; '' is nobody's");
  sub.add_option("--filter", o->filter, "Narrows the stream's own")
      ->type_name("JSON");
  add_text(sub, "--format", o->format, "native or cloudevents");
  sub.add_option("--header", o->headers,
                 "Sent along with each delivery; may be repeated; '' for none")
      ->type_name("NAME:VALUE")
      ->allow_extra_args(false);
  auto* ordered = sub.add_flag("--ordered", o->ordered,
                               "One after the other, in the log's order");
  sub.add_flag("--parallel", o->parallel, "Several at once")->excludes(ordered);
  sub.add_option("--max-concurrent", o->max_concurrent,
                 "Requests under way at once; 0: as configured");
  sub.add_option("--rate", o->rate, "Most requests a second; 0: no limit");
}

} // namespace

void add_subscriptions(CLI::App& app, runner& run) {
  auto o = std::make_shared<subscription_options>();
  auto* all = app.add_subcommand(
      "subscriptions", "Webhooks (and queues) that a stream's events go to");
  all->require_subcommand(1);
  all->footer("Examples:\n"
              "  eventweft subscriptions create pr_events --to "
              "https://ci.example.org/hook\n"
              "  eventweft subscriptions list pr_events\n"
              "  eventweft subscriptions test pr_events ID\n"
              "  eventweft subscriptions deliveries pr_events ID\n"
              "  eventweft subscriptions replay pr_events ID --since 2h "
              "--dry-run\n"
              "  eventweft subscriptions rotate-secret pr_events ID");
  auto* list =
      add_action(*all, run, o, "list", "Oldest first", list_subscriptions);
  add_place(*list, o, false);
  list->add_flag("--json", o->json, "One JSON object a line");

  auto* create = add_action(*all, run, o, "create",
                            "Make one; its secret is shown this once",
                            create_subscription);
  add_place(*create, o, false);
  add_text(*create, "--to", o->to, "Where events go")
      ->required()
      ->type_name("URL");
  create->add_option("--type", o->type, "webhook (default), nats or kafka");
  create->add_option("--secret", o->secret,
                     "whsec_… or whsk_… (default: a new one); webhooks only");
  create->add_flag("--asymmetric", o->asymmetric,
                   "Sign with a new Ed25519 key (v1a)");
  create
      ->add_option("--since", o->since,
                   "now (default), earliest, a seq, an RFC 3339 time, or 15m, "
                   "2h, 7d ago")
      ->type_name("WHEN");
  add_settings_options(*create, o);

  auto* change =
      add_action(*all, run, o, "change", "Change one", change_subscription);
  add_place(*change, o, true);
  add_text(*change, "--to", o->to, "Where events go")->type_name("URL");
  add_settings_options(*change, o);

  const auto plain = [&](const char* name, const char* help, auto command) {
    auto* sub = add_action(*all, run, o, name, help, command);
    add_place(*sub, o, true);
    return sub;
  };
  plain("show", "One, with its figures",
        [](const subscription_options& x, console& io) {
          return ask_and_show(x.server, {"GET", subscription_path(x), {}, {}},
                              "", io);
        });
  plain("pause", "Deliver nothing until it is resumed",
        [](const subscription_options& x, console& io) {
          return patch(x, R"({"active":false})", io);
        });
  plain("resume", "Go on where it was; also after the hub switched it off",
        [](const subscription_options& x, console& io) {
          return patch(x, R"({"active":true})", io);
        });
  auto* rotate =
      plain("rotate-secret",
            "Sign with a new secret beside the old ones; shown this once",
            rotate_secret);
  auto* given =
      rotate->add_option("--secret", o->secret, "The new one (default: made)");
  rotate
      ->add_flag("--drop-old", o->drop_old,
                 "Instead: forget all but the newest")
      ->excludes(given);
  plain("test", "Deliver an event that is made up; exit code 1 if that failed",
        [](const subscription_options& x, console& io) {
          return ask_and_show(
              x.server, with_body("POST", subscription_path(x) + "/test", ""),
              "", io, [](simdjson::dom::element answer) {
                bool delivered = false;
                return answer["delivered"].get(delivered) ==
                           simdjson::SUCCESS &&
                       delivered;
              });
        });
  auto* again = plain("replay",
                      "Deliver events of the past once more; of several nodes, "
                      "ask the one that has the subscription",
                      replay);
  again
      ->add_option("--since", o->since,
                   "earliest, a seq, an RFC 3339 time, or 15m, 2h, 7d ago")
      ->type_name("WHEN");
  again
      ->add_option("--until", o->until,
                   "Before this RFC 3339 time, or so long ago")
      ->type_name("WHEN");
  again->add_option("--filter", o->filter, "Only these")->type_name("JSON");
  again->add_option("--event", o->event, "Only this one")->type_name("ID");
  again->add_flag("--dry-run", o->dry_run, "Only count them");
  auto* deliveries =
      plain("deliveries", "Attempts, newest first", list_deliveries);
  deliveries->add_option("--limit", o->limit, "Most of them; 0 is all")
      ->check(refuse_negative)
      ->capture_default_str();
  deliveries->add_flag("--json", o->json, "One JSON object a line");
  plain("delete", "Delete it with all that is known of it",
        [](const subscription_options& x, console& io) {
          return ask_and_show(x.server,
                              {"DELETE", subscription_path(x), {}, {}},
                              printable(x.id) + "  deleted", io);
        });
}

} // namespace eventweft::cli
