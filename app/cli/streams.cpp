// SPDX-License-Identifier: Apache-2.0
#include "app/cli/streams.hpp"

#include "app/cli/connection.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/http_client.hpp"
#include "app/cli/json_body.hpp"
#include "app/cli/selection.hpp"
#include "codec/filter.hpp"
#include "codec/payload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

namespace eventweft::cli {

namespace {

constexpr std::string_view streams_path = "/api/v1/streams";
std::string stream_path(std::string_view stream) {
  return std::string{streams_path} + '/' + url_escaped(stream);
}

std::string subscriptions_path(const subscription_options& o) {
  return stream_path(o.stream) + "/subscriptions";
}

std::string subscription_path(const subscription_options& o) {
  return subscriptions_path(o) + '/' + url_escaped(o.id);
}

http_request with_body(std::string method, std::string target,
                       std::string body) {
  return {std::move(method),
          std::move(target),
          {{"content-type", "application/json"}},
          std::move(body)};
}

/// Sends it and shows the answer's body as it is, or says that it was done.
int ask_and_show(const connection& server, const http_request& request,
                 std::string_view done, console& io) {
  const auto client = connect_to(server);
  if (!client)
    return report(client.error(), io);
  const auto answer = (*client)->send(request);
  if (!answer)
    return report(answer.error(), io);
  if (answer->status < 200 || answer->status >= 300)
    return report({ec::internal, failure_text(*answer)}, io);
  if (answer->body.empty())
    io.out << done << '\n';
  else
    io.out << printable(one_line(answer->body)) << '\n';
  return exit_ok;
}

/// Shows each item of a list, following its pages.
template <class Show>
int show_list(const connection& server, const std::string& target,
              const char* member, uint64_t limit, bool json, console& io,
              Show show) {
  const auto client = connect_to(server);
  if (!client)
    return report(client.error(), io);
  codec::payload_reader reader;
  std::string cursor;
  uint64_t left = limit;
  do {
    auto page = target + "?limit=" +
                std::to_string(limit == 0 ? largest_page
                                          : std::min(left, largest_page));
    if (!cursor.empty())
      page += "&cursor=" + url_escaped(cursor);
    const auto answer = (*client)->send({"GET", page, {}, {}});
    if (!answer)
      return report(answer.error(), io);
    if (answer->status != 200)
      return report({ec::internal, failure_text(*answer)}, io);
    const auto root = reader.parse(answer->body);
    if (!root)
      return report(root.error(), io);
    simdjson::dom::array items;
    if ((*root)[member].get(items))
      return report(
          {ec::malformed, std::string{"the server's answer has no "} + member},
          io);
    for (const auto item : items) {
      if (json)
        io.out << simdjson::minify(item) << '\n';
      else
        show(item);
    }
    left -= std::min<uint64_t>(left, items.size());
    cursor = codec::string_at(*root, "/next_cursor");
  } while (!cursor.empty() && (limit == 0 || left > 0) && io.out.good());
  return exit_ok;
}

std::string shown(simdjson::dom::element e, std::string_view pointer) {
  return printable(codec::string_at(e, pointer));
}

/// A seq goes as a number, anything else as a text.
void add_since(json_body& body, const std::string& since) {
  if (since.empty())
    return;
  int64_t seq = 0;
  const auto* end = since.data() + since.size();
  const auto read = std::from_chars(since.data(), end, seq);
  if (read.ec == std::errc{} && read.ptr == end)
    body.raw("since", since);
  else
    body.text("since", since);
}

/// "name:value" each.
expected<std::string> headers_json(const std::vector<std::string>& headers) {
  json_body out;
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

/// The flag is told here: the server only knows the body that it is part of.
expected<void> add_filter(json_body& body, const std::string& filter) {
  if (filter.empty())
    return {};
  if (auto read = codec::parse_kept_filter(filter); !read)
    return fail(ec::bad_configuration, "--filter: " + read.error().message);
  body.raw("filter", filter);
  return {};
}

/// What both creating and changing may say.
expected<void> add_settings(json_body& body, const subscription_options& o) {
  if (!o.to.empty())
    body.text("url", o.to);
  if (!o.subscriber.empty())
    body.text("subscriber_id", o.subscriber);
  if (auto added = add_filter(body, o.filter); !added)
    return added;
  if (!o.format.empty())
    body.text("format", o.format);
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
  add_since(body, o.since);
  return ask_and_show(
      o.server,
      with_body("POST", subscriptions_path(o), std::move(body).finish()), "",
      io);
}

int change_subscription(const subscription_options& o, console& io) {
  json_body body;
  if (const auto ok = add_settings(body, o); !ok)
    return report(ok.error(), io);
  return ask_and_show(
      o.server,
      with_body("PATCH", subscription_path(o), std::move(body).finish()), "",
      io);
}

int patch(const subscription_options& o, std::string body, console& io) {
  return ask_and_show(o.server,
                      with_body("PATCH", subscription_path(o), std::move(body)),
                      "", io);
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
  add_since(body, o.since);
  if (!o.until.empty())
    body.text("until", o.until);
  if (const auto added = add_filter(body, o.filter); !added)
    return report(added.error(), io);
  if (o.dry_run)
    body.flag("dry_run", true);
  return ask_and_show(o.server,
                      with_body("POST", subscription_path(o) + "/replay",
                                std::move(body).finish()),
                      "", io);
}

int list_streams(const stream_options& o, console& io) {
  return show_list(o.server, std::string{streams_path}, "streams", 0, o.json,
                   io, [&io](simdjson::dom::element s) {
                     io.out << shown(s, "/name") << "  "
                            << (shown(s, "/built_in") == "true" ? "built-in  "
                                                                : "")
                            << shown(s, "/description") << '\n';
                   });
}

int list_subscriptions(const subscription_options& o, console& io) {
  return show_list(o.server, subscriptions_path(o), "subscriptions", 0, o.json,
                   io, [&io](simdjson::dom::element s) {
                     io.out << shown(s, "/id") << "  " << shown(s, "/type")
                            << "  " << shown(s, "/statistics/state")
                            << "  sent " << shown(s, "/statistics/sent")
                            << "  errors " << shown(s, "/statistics/errors")
                            << "  behind " << shown(s, "/statistics/lag_events")
                            << "  " << shown(s, "/url") << '\n';
                   });
}

int list_deliveries(const subscription_options& o, console& io) {
  return show_list(o.server, subscription_path(o) + "/deliveries", "deliveries",
                   o.limit, o.json, io, [&io](simdjson::dom::element d) {
                     io.out << shown(d, "/created_at").substr(0, 19) << "  "
                            << shown(d, "/event_id") << "  "
                            << shown(d, "/attempt") << "x  "
                            << shown(d, "/status") << "  "
                            << shown(d, "/response_status") << "  "
                            << shown(d, "/error_message") << '\n';
                   });
}

int create_stream(const stream_options& o, console& io) {
  json_body body;
  body.text("name", o.names.front());
  body.text("description", o.description);
  if (const auto added = add_filter(body, o.filter); !added)
    return report(added.error(), io);
  return ask_and_show(
      o.server,
      with_body("POST", std::string{streams_path}, std::move(body).finish()),
      "", io);
}

int change_stream(const stream_options& o, console& io) {
  json_body body;
  if (!o.description.empty())
    body.text("description", o.description);
  if (const auto added = add_filter(body, o.filter); !added)
    return report(added.error(), io);
  return ask_and_show(o.server,
                      with_body("PATCH", stream_path(o.names.front()),
                                std::move(body).finish()),
                      "", io);
}

int delete_streams(const stream_options& o, console& io) {
  int code = exit_ok;
  for (const auto& name : o.names)
    code = std::max(code, ask_and_show(o.server,
                                       {"DELETE", stream_path(name), {}, {}},
                                       printable(name) + "  deleted", io));
  return code;
}

constexpr auto reader_row =
    "{:<17} {:<10} {:<11} {:>10} {:>9} {:>9} {:>13}  {:<15} {}\n";

int list_readers(const stream_options& o, console& io) {
  bool headed = o.json;
  return show_list(o.server, stream_path(o.names.front()) + "/readers",
                   "readers", 0, o.json, io,
                   [&io, &headed](simdjson::dom::element e) {
                     const auto at = [e](std::string_view pointer) {
                       auto text = shown(e, pointer);
                       return text.empty() ? std::string{"-"} : text;
                     };
                     if (!std::exchange(headed, true))
                       io.out << fmt::format(reader_row, "ID", "PROTOCOL",
                                             "STATE", "CURSOR", "LAG", "SENT",
                                             "ACKNOWLEDGED", "ADDRESS", "KEY");
                     io.out << fmt::format(
                         reader_row, at("/id"), at("/protocol"), at("/state"),
                         at("/cursor"), at("/lag_events"), at("/sent"),
                         at("/acknowledged"), at("/address"), at("/key"));
                   });
}

using runner = std::function<int(console&)>;

/// One subcommand that runs `command` with the options.
template <class Options, class Command>
CLI::App* add_action(CLI::App& app, runner& run,
                     const std::shared_ptr<Options>& o, const char* name,
                     const char* help, Command command) {
  auto* sub = app.add_subcommand(name, help);
  add_connection(*sub, o->server);
  sub->callback([&run, o, command] {
    run = [o, command](console& io) { return command(*o, io); };
  });
  return sub;
}

void add_stream_commands(CLI::App& app, runner& run) {
  auto o = std::make_shared<stream_options>();
  auto* all =
      app.add_subcommand("streams", "List, make, change or delete streams");
  all->require_subcommand(1);
  all->footer("Examples:\n"
              "  eventweft streams list\n"
              "  eventweft streams create releases --filter "
              "'{\"event_types\":[\"release\"]}'\n"
              "  eventweft streams show releases\n"
              "  eventweft streams readers all_events\n"
              "  eventweft streams delete releases");
  add_action(*all, run, o, "list", "By name", list_streams)
      ->add_flag("--json", o->json, "One JSON object a line");
  const auto described = [&o](CLI::App* sub) {
    sub->add_option("--description", o->description, "What it is for");
    sub->add_option("--filter", o->filter, "Which events it shows")
        ->type_name("JSON");
  };
  auto* create =
      add_action(*all, run, o, "create", "Make a stream", create_stream);
  create->add_option("name", o->names, "Its name in URLs")
      ->required()
      ->expected(1);
  described(create);
  auto* change = add_action(*all, run, o, "change",
                            "Change what a stream shows", change_stream);
  change->add_option("name", o->names, "The stream")->required()->expected(1);
  described(change);
  add_action(*all, run, o, "show", "One stream, with its figures",
             [](const stream_options& x, console& io) {
               return ask_and_show(
                   x.server, {"GET", stream_path(x.names.front()), {}, {}}, "",
                   io);
             })
      ->add_option("name", o->names, "The stream")
      ->required()
      ->expected(1);
  auto* readers =
      add_action(*all, run, o, "readers",
                 "Who reads a stream live, and how far each is", list_readers);
  readers->add_option("name", o->names, "The stream")->required()->expected(1);
  readers->add_flag("--json", o->json, "One JSON object a line");
  add_action(*all, run, o, "delete",
             "Delete streams with their subscriptions; readers are ended",
             delete_streams)
      ->add_option("name", o->names, "The streams")
      ->required();
}

using subscription_ptr = std::shared_ptr<subscription_options>;

void add_place(CLI::App& sub, const subscription_ptr& o, bool with_id) {
  sub.add_option("stream", o->stream, "The stream")->required();
  if (with_id)
    sub.add_option("id", o->id, "The subscription")->required();
}

void add_settings_options(CLI::App& sub, const subscription_ptr& o) {
  sub.add_option("--subscriber", o->subscriber, "Whose it is");
  sub.add_option("--filter", o->filter, "Narrows the stream's own")
      ->type_name("JSON");
  sub.add_option("--format", o->format, "native or cloudevents");
  sub.add_option("--header", o->headers,
                 "Sent along with each delivery; may be repeated")
      ->type_name("NAME:VALUE")
      ->allow_extra_args(false);
  auto* ordered = sub.add_flag("--ordered", o->ordered,
                               "One after the other, in the log's order");
  sub.add_flag("--parallel", o->parallel, "Several at once")->excludes(ordered);
  sub.add_option("--max-concurrent", o->max_concurrent,
                 "Requests under way at once; 0: as configured");
  sub.add_option("--rate", o->rate, "Most requests a second; 0: no limit");
}

void add_subscription_commands(CLI::App& app, runner& run) {
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
              "  eventweft subscriptions replay pr_events ID --since "
              "2026-01-31T00:00:00Z --dry-run\n"
              "  eventweft subscriptions rotate-secret pr_events ID");
  auto* list =
      add_action(*all, run, o, "list", "Oldest first", list_subscriptions);
  add_place(*list, o, false);
  list->add_flag("--json", o->json, "One JSON object a line");

  auto* create = add_action(*all, run, o, "create",
                            "Make one; its secret is shown this once",
                            create_subscription);
  add_place(*create, o, false);
  create->add_option("--to", o->to, "Where events go")
      ->required()
      ->type_name("URL");
  create->add_option("--type", o->type, "webhook (default), nats or kafka");
  create->add_option("--secret", o->secret,
                     "whsec_… or whsk_… (default: a new one)");
  create->add_flag("--asymmetric", o->asymmetric,
                   "Sign with a new Ed25519 key (v1a)");
  create
      ->add_option("--since", o->since,
                   "now (default), earliest, a seq, an RFC 3339 time")
      ->type_name("WHEN");
  add_settings_options(*create, o);

  auto* change =
      add_action(*all, run, o, "change", "Change one", change_subscription);
  add_place(*change, o, true);
  change->add_option("--to", o->to, "Where events go")->type_name("URL");
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
  plain("test", "Deliver an event that is made up",
        [](const subscription_options& x, console& io) {
          return ask_and_show(
              x.server, with_body("POST", subscription_path(x) + "/test", ""),
              "", io);
        });
  auto* again = plain("replay", "Deliver events of the past once more", replay);
  again->add_option("--since", o->since, "earliest, a seq or an RFC 3339 time")
      ->type_name("WHEN");
  again->add_option("--until", o->until, "Before this RFC 3339 time")
      ->type_name("WHEN");
  again->add_option("--filter", o->filter, "Only these")->type_name("JSON");
  again->add_option("--event", o->event, "Only this one")->type_name("ID");
  again->add_flag("--dry-run", o->dry_run, "Only count them");
  auto* deliveries =
      plain("deliveries", "Attempts, newest first", list_deliveries);
  deliveries->add_option("--limit", o->limit, "Most of them; 0 is all")
      ->capture_default_str();
  deliveries->add_flag("--json", o->json, "One JSON object a line");
  plain("delete", "Delete it with all that is known of it",
        [](const subscription_options& x, console& io) {
          return ask_and_show(x.server,
                              {"DELETE", subscription_path(x), {}, {}},
                              printable(x.id) + "  deleted", io);
        });
}

} // namespace

void add_streams(CLI::App& app, std::function<int(console&)>& run) {
  add_stream_commands(app, run);
  add_subscription_commands(app, run);
}

} // namespace eventweft::cli
