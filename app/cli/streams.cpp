// SPDX-License-Identifier: Apache-2.0
#include "app/cli/streams.hpp"

#include "app/cli/api_call.hpp"
#include "app/cli/event_line.hpp"
#include "app/cli/json_body.hpp"
#include "app/cli/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace eventweft::cli {

namespace {

constexpr std::string_view streams_path = "/api/v1/streams";

struct stream_options {
  connection server;
  std::vector<std::string> names;
  /// As given: an empty one takes away what is there.
  std::optional<std::string> description;
  std::string filter;
  bool json = false;
};

int list_streams(const stream_options& o, console& io) {
  return show_list(o.server, {std::string{streams_path}, "streams"}, o.json, io,
                   [&io](simdjson::dom::element s) {
                     io.out << shown(s, "/name") << "  "
                            << (shown(s, "/built_in") == "true" ? "built-in  "
                                                                : "")
                            << shown(s, "/description") << '\n';
                   });
}

int create_stream(const stream_options& o, console& io) {
  json_body body;
  body.text("name", o.names.front());
  body.text("description", o.description.value_or(""));
  if (const auto added = add_filter(body, o.filter); !added)
    return report(added.error(), io);
  return ask_and_show(
      o.server,
      with_body("POST", std::string{streams_path}, std::move(body).finish()),
      "", io);
}

int change_stream(const stream_options& o, console& io) {
  json_body body;
  if (o.description)
    body.text("description", *o.description);
  if (const auto added = add_filter(body, o.filter); !added)
    return report(added.error(), io);
  return ask_and_show(o.server,
                      with_body("PATCH", stream_path(o.names.front()),
                                std::move(body).finish()),
                      "", io);
}

int delete_streams(const stream_options& o, console& io) {
  return delete_each(o.server, o.names, stream_path, io);
}

constexpr auto reader_row =
    "{:<17} {:<10} {:<11} {:>10} {:>9} {:>9} {:>13}  {:<15} {}\n";

int list_readers(const stream_options& o, console& io) {
  bool headed = o.json;
  return show_list(o.server,
                   {stream_path(o.names.front()) + "/readers", "readers"},
                   o.json, io, [&io, &headed](simdjson::dom::element e) {
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

} // namespace

std::string stream_path(std::string_view stream) {
  return std::string{streams_path} + '/' + url_escaped(stream);
}

void add_streams(CLI::App& app, runner& run) {
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
    add_text(*sub, "--description", o->description,
             "What it is for; '' takes away what is there");
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

} // namespace eventweft::cli
