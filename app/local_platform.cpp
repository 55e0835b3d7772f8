// SPDX-License-Identifier: Apache-2.0
#include "app/local_platform.hpp"

#include "actors/platforms/registry.hpp"
#include "codec/event_json.hpp"
#include "codec/payload.hpp"

#include <map>
#include <string>
#include <utility>

namespace eventweft {

namespace {

constexpr std::string_view failure_type = "eventweft/failure";

class local_platform final : public platforms::platform {
 public:
  explicit local_platform(std::vector<platforms::platform_ptr> all) {
    for (auto& p : all)
      by_name_.emplace(std::string{p->name()}, p);
  }

  std::string_view name() const noexcept override {
    return local_platform_name;
  }

  /// Who submits wants to know the event's place, not what a handler says.
  std::chrono::milliseconds reply_within() const noexcept override {
    return std::chrono::milliseconds{0};
  }

  expected<platforms::acceptance> accept(const webhook& w) const override {
    const auto* whose = find_header(w.headers, "eventweft-platform");
    const auto found = whose ? by_name_.find(*whose) : by_name_.end();
    if (found == by_name_.end())
      return fail(ec::not_found,
                  "there is no platform " + (whose ? *whose : std::string{}));
    auto out = found->second->accept(w);
    if (!out)
      return out;
    if (out->answer || out->batch || out->events.size() != 1)
      return fail(ec::unprocessable, "this payload is not one event");
    out->when_stored.reset();
    return out;
  }

  webhook_answer
  answer(const platforms::acceptance&,
         std::span<const platforms::event_outcome> outcomes) const override {
    webhook_answer out;
    const auto& outcome = outcomes.front();
    if (outcome) {
      out.body = codec::outcome_json(*outcome);
    } else {
      out.content_type = failure_type;
      out.status = static_cast<int>(outcome.error().code);
      out.body = outcome.error().message;
    }
    return out;
  }

 private:
  std::map<std::string, platforms::platform_ptr, std::less<>> by_name_;
};

} // namespace

expected<platforms::platform_ptr>
make_local_platform(const config::settings& settings,
                    const std::vector<platforms::platform_ptr>& known,
                    const clock& time, random_source& random) {
  auto sections = settings.platforms;
  for (const auto& p : known)
    sections.try_emplace(std::string{p->name()});
  for (auto& [name, section] : sections) {
    section.secrets.clear();
    section.tokens.clear();
    section.allow_unsigned = true;
  }
  return platforms::make_platforms(sections, time, random,
                                   settings.event.platforms_directory)
      .map([](std::vector<platforms::platform_ptr>&& all)
               -> platforms::platform_ptr {
        return std::make_shared<const local_platform>(std::move(all));
      });
}

expected<append_outcome> read_local_answer(expected<webhook_answer> answer) {
  if (!answer)
    return fail(std::move(answer.error()));
  if (answer->content_type == failure_type)
    return fail(static_cast<ec>(answer->status), std::move(answer->body));
  codec::payload_reader reader;
  const auto root = reader.parse(answer->body);
  if (!root)
    return fail(root.error());
  append_outcome out;
  const auto id = uuid::parse(codec::string_at(*root, "/id"));
  if (!id)
    return fail(ec::internal, "an answer without the event's id");
  out.id = *id;
  int64_t seq = 0;
  if (!root->at_pointer("/seq").get(seq))
    out.seq = seq;
  out.duplicate = codec::string_at(*root, "/duplicate") == "true";
  out.spooled = codec::string_at(*root, "/spooled") == "true";
  return out;
}

} // namespace eventweft
