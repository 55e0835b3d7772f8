// SPDX-License-Identifier: Apache-2.0
#include "net/api_actors.hpp"

#include "codec/payload.hpp"
#include "net/answers.hpp"

#include <utility>

namespace eventweft::net {

namespace {

response no_such_part() {
  return problem_answer({ec::not_found, "this server does not tell"});
}

/// The two members, and nothing else.
expected<std::pair<std::string, std::string>>
read_level(std::string_view body) {
  codec::payload_reader reader;
  const auto root = reader.parse(body);
  if (!root)
    return fail(root.error());
  simdjson::dom::object object;
  if (root->get_object().get(object))
    return fail(ec::malformed, "body: a JSON object is needed");
  std::pair<std::string, std::string> out{"*", {}};
  for (const auto member : object) {
    std::string_view text;
    if (member.key != "component" && member.key != "level")
      return fail(ec::unprocessable,
                  "/" + std::string{member.key} + " is not a known member");
    if (member.value.get_string().get(text))
      return fail(ec::unprocessable,
                  "/" + std::string{member.key} + " is not a string");
    (member.key == "component" ? out.first : out.second) = text;
  }
  if (out.second.empty())
    return fail(ec::unprocessable, "/level is missing");
  return out;
}

} // namespace

response show_actors(const api_call& call) {
  const auto* port = call.shared.behind.actors();
  return port ? json_answer(200, port->actors_json()) : no_such_part();
}

response show_log_levels(const api_call& call) {
  const auto* port = call.shared.behind.actors();
  return port ? json_answer(200, port->log_levels_json()) : no_such_part();
}

response put_log_level(const api_call& call) {
  auto* port = call.shared.behind.actors();
  if (!port)
    return no_such_part();
  const auto wanted = read_level(call.req.body());
  if (!wanted)
    return problem_answer(wanted.error());
  if (const auto set = port->set_log_level(wanted->first, wanted->second); !set)
    return problem_answer(set.error());
  return json_answer(200, port->log_levels_json());
}

} // namespace eventweft::net
