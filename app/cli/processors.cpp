// SPDX-License-Identifier: Apache-2.0
#include "app/cli/processors.hpp"

#include "app/cli/api_call.hpp"
#include "app/cli/selection.hpp"
#include "codec/payload.hpp"

#include <memory>

namespace eventweft::cli {

namespace {

void show_processor(simdjson::dom::element p, console& io) {
  io.out << shown(p, "/name") << "  ";
  // Of one that is gone nobody knows.
  if (const auto kind = shown(p, "/kind"); !kind.empty())
    io.out << kind << "  ";
  io.out << shown(p, "/state");
  if (shown(p, "/state") == "elsewhere") {
    io.out << "  at " << shown(p, "/owner") << '\n';
    return;
  }
  io.out << "  ready " << shown(p, "/ready") << "  running "
         << shown(p, "/running") << "  waiting " << shown(p, "/waiting")
         << "  completed " << shown(p, "/completed") << "  failed "
         << shown(p, "/failed") << "  after " << shown(p, "/cursor");
  if (const auto detail = shown(p, "/detail"); !detail.empty())
    io.out << "  " << detail;
  io.out << '\n';
}

/// The document that is answered, which `reader` holds.
expected<simdjson::dom::element> ask(http_client& client,
                                     const http_request& request, int wanted,
                                     codec::payload_reader& reader) {
  const auto answer = client.send(request);
  if (!answer)
    return fail(answer.error());
  if (answer->status != wanted)
    return fail(ec::internal, failure_text(*answer));
  return reader.parse(answer->body);
}

int drop_processor(http_client& client, const std::string& name, console& io) {
  codec::payload_reader reader;
  const auto root =
      ask(client, {"DELETE", "/api/v1/processors/" + url_escaped(name), {}, {}},
          202, reader);
  if (!root)
    return report(root.error(), io);
  io.out << shown(*root, "/name") << ": " << shown(*root, "/events")
         << " events become dead letters\n";
  return exit_ok;
}

} // namespace

int list_processors(const processors_options& options, console& io) {
  const auto client = connect_to(options.server);
  if (!client)
    return report(client.error(), io);
  if (!options.drop.empty())
    return drop_processor(**client, options.drop, io);
  codec::payload_reader reader;
  const auto root =
      ask(**client, {"GET", "/api/v1/processors", {}, {}}, 200, reader);
  if (!root)
    return report(root.error(), io);
  simdjson::dom::array processors;
  if ((*root)["processors"].get(processors))
    return report({ec::malformed, "the server's answer has no processors"}, io);
  for (const auto p : processors) {
    if (options.json)
      io.out << simdjson::minify(p) << '\n';
    else
      show_processor(p, io);
  }
  return exit_ok;
}

void add_processors(CLI::App& app, runner& run) {
  const auto o = std::make_shared<processors_options>();
  auto* sub =
      add_action(app, run, o, "processors",
                 "Show the handlers and how they are doing", list_processors);
  sub->add_flag("--json", o->json, "One JSON object a line");
  sub->add_option(
         "--drop", o->drop,
         "Give up what this one, which is not there any more, has left")
      ->option_text("NAME");
  sub->footer("Examples:\n  eventweft processors\n"
              "  eventweft processors --json\n"
              "  eventweft processors --drop old_name");
}

} // namespace eventweft::cli
