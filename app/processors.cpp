// SPDX-License-Identifier: Apache-2.0
#include "app/processors.hpp"

#include "codec/dead_letter_json.hpp"
#include "codec/filter.hpp"
#include "config/mask.hpp"
#include "config/text.hpp"
#include "messages/complaint.hpp"
#include "net/outgoing/target.hpp"
#include "processing/exec_handler.hpp"
#include "processing/http_handler.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace eventweft {

namespace {

using config::processor_settings;

/// What the handler itself needs to notice that its time is up.
constexpr std::chrono::milliseconds grace{1'000};

error bad(const std::string& name, std::string_view key, const std::string& why,
          std::string_view own = {}) {
  return {ec::bad_configuration,
          "[processors." + name + "] " + complaint(key, why, own)};
}

/// Nothing if requests can be sent there.
std::optional<std::string> objection_to_url(const std::string& url) {
  const auto read = outgoing::parse_target(url);
  if (read)
    return std::nullopt;
  return "expected http://HOST/… or https://HOST/…, found " +
         config::in_quotes(config::mask_web_url(url)) + " (" +
         complaint("it", read.error().message, "url") + ")";
}

/// `NAME` or `NAME=value`, the name as every shell can have it.
bool is_variable(std::string_view entry) {
  const auto name = entry.substr(0, entry.find('='));
  return !name.empty() && (name.front() < '0' || name.front() > '9') &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  (c >= '0' && c <= '9') || c == '_';
         });
}

/// For measuring, and where `processed_at` is to be filled and no more.
processing::outcome nothing(const event_ptr&,
                            const processing::attempt_context&) {
  return processing::outcome::done();
}

std::string kind_of(const processor_settings& s) {
  return !s.kind.empty() ? s.kind : !s.url.empty() ? "http" : "exec";
}

/// Keys that contradict each other, or the kind.
expected<void> check_keys(const std::string& name,
                          const processor_settings& s) {
  if (!s.command.empty() && !s.url.empty())
    return fail(bad(name, "url",
                    "there is a command, too: a processor either runs a "
                    "program or posts to a URL"));
  if (s.kind.empty() && s.command.empty() && s.url.empty())
    return fail(bad(name, "command",
                    "a processor needs a command to run or a url to post to"));
  const auto kind = kind_of(s);
  if (kind != "http") {
    for (const auto& [key, given] : {std::pair{"url", !s.url.empty()},
                                     std::pair{"secret", !s.secret.empty()}})
      if (given)
        return fail(bad(name, key, "only an http processor has one"));
    if (s.format != "native")
      return fail(bad(name, "format",
                      "only an http processor has one; a program gets the "
                      "event as the API has it"));
  }
  if (kind != "exec")
    for (const auto& [key, given] :
         {std::pair{"command", !s.command.empty()},
          std::pair{"directory", !s.directory.empty()},
          std::pair{"environment", !s.environment.empty()}})
      if (given)
        return fail(bad(name, key, "only an exec processor has one"));
  return {};
}

/// `NAME` becomes what this process has under that name.
std::vector<std::string>
environment_of(const std::vector<std::string>& wanted) {
  std::vector<std::string> out;
  for (const auto& entry : wanted) {
    if (entry.find('=') != std::string::npos)
      out.push_back(entry);
    else if (const char* value = std::getenv(entry.c_str()))
      out.push_back(entry + '=' + value);
  }
  return out;
}

expected<filter> filter_of(const std::string& name,
                           const processor_settings& s) {
  filter out;
  if (!s.filter.empty()) {
    auto parsed = codec::parse_kept_filter(s.filter);
    if (!parsed)
      return fail(bad(name, "filter", parsed.error().message));
    out = std::move(*parsed);
  }
  const auto add = [](std::vector<std::string>& to,
                      const std::vector<std::string>& more) {
    to.insert(to.end(), more.begin(), more.end());
  };
  add(out.platforms, s.platforms);
  add(out.event_types, s.event_types);
  return out;
}

/// A whole command line where a program's name should be.
bool is_command_line(const processor_settings& s) {
  const auto& program = s.command.front();
  std::error_code failed;
  return s.command.size() == 1 && program.find(' ') != std::string::npos &&
         !std::filesystem::exists(std::filesystem::path{s.directory} / program,
                                  failed);
}

expected<processing::blocking_handler>
exec_of(const std::string& name, const processor_settings& s,
        std::shared_ptr<processing::program_guard> guard) {
  if (s.command.empty() || s.command.front().empty())
    return fail(bad(name, "command", "an exec processor needs a program"));
  if (is_command_line(s))
    return fail(bad(name, "command",
                    "expected a list, such as [\"program\", \"argument\"], "
                    "found " +
                        config::in_quotes(s.command.front()) +
                        "; for a shell to read it: [\"/bin/sh\", \"-c\", …]"));
  for (const auto& entry : s.environment)
    if (!is_variable(entry))
      return fail(bad(name, "environment",
                      "expected NAME=value or NAME, a name being letters, "
                      "digits and _, found " +
                          config::in_quotes(entry.substr(0, entry.find('=')))));
  processing::exec_options o;
  o.command = s.command;
  o.directory = s.directory;
  o.environment = environment_of(s.environment);
  o.answers = s.answers;
  return processing::make_exec_handler(std::move(o), std::move(guard));
}

expected<processing::async_handler>
http_of(const std::string& name, const processor_settings& s,
        std::shared_ptr<outgoing::poster> poster,
        std::shared_ptr<const clock> time) {
  if (s.url.empty())
    return fail(bad(name, "url", "an http processor needs one"));
  if (auto why = objection_to_url(s.url))
    return fail(bad(name, "url", *why));
  if (s.secret.empty())
    return fail(bad(name, "secret",
                    "is missing: requests are signed with it (whsec_… and "
                    "base64); secret_file names a file that holds it"));
  auto key = delivery::signing_key::parse(s.secret);
  if (!key)
    return fail(bad(name, "secret", key.error().message));
  delivery::endpoint to;
  to.url = s.url;
  to.format = s.format == "cloudevents" ? wire_format::cloudevents
                                        : wire_format::native;
  to.keys.push_back(std::move(*key));
  return processing::make_http_handler(std::move(to), s.answers,
                                       std::move(poster), std::move(time));
}

} // namespace

bool needs_poster(const config::settings& s) {
  if (!s.dead_letters.alert_url.empty())
    return true;
  for (const auto& [name, p] : s.processors)
    if (p.enabled && kind_of(p) == "http")
      return true;
  return false;
}

expected<void>
add_configured(processing::registry& to, const config::settings& s,
               std::shared_ptr<outgoing::poster> poster,
               std::shared_ptr<const clock> time,
               std::shared_ptr<processing::program_guard> guard) {
  for (const auto& [name, one] : s.processors) {
    if (!one.enabled)
      continue;
    if (auto fine = check_keys(name, one); !fine)
      return fail(std::move(fine.error()));
    processing::processor p;
    p.name = name;
    p.kind = kind_of(one);
    p.may_end_process = false;
    auto what = filter_of(name, one);
    if (!what)
      return fail(what.error());
    p.filter = std::move(*what);
    auto start = codec::parse_since(one.start);
    if (!start)
      return fail(bad(name, "start", start.error().message, "since"));
    p.start = *start;
    p.priority = parse_priority(one.priority);
    p.ordering = processing::parse_ordering(one.ordering)
                     .value_or(processing::ordering::none);
    p.max_retries = one.max_retries;
    p.retry_delay = one.retry_delay;
    p.max_retry_delay = std::max(one.max_retry_delay, one.retry_delay);
    p.max_retry_after = s.webhooks.max_retry_after;
    p.timeout = one.timeout;
    p.grace = grace;
    p.concurrency = one.concurrency;
    p.answers = one.answers;
    if (p.kind == "noop") {
      p.handler = processing::blocking_handler{nothing};
    } else if (p.kind == "http") {
      auto handler = http_of(name, one, poster, time);
      if (!handler)
        return fail(handler.error());
      p.handler = std::move(*handler);
    } else {
      auto handler = exec_of(name, one, guard);
      if (!handler)
        return fail(handler.error());
      p.handler = std::move(*handler);
    }
    if (auto added = to.add(std::move(p)); !added)
      return fail(ec::bad_configuration,
                  "[processors." + name + "]: " + added.error().message);
  }
  return {};
}

expected<dead_letter_alert> make_alert(const config::dead_letters_settings& s,
                                       std::shared_ptr<outgoing::poster> poster,
                                       std::shared_ptr<const clock> time,
                                       logger_ptr log) {
  dead_letter_alert out;
  auto to = std::make_shared<delivery::endpoint>();
  if (!s.alert_secret.empty()) {
    auto key = delivery::signing_key::parse(s.alert_secret);
    if (!key)
      return fail(ec::bad_configuration,
                  "[dead_letters] " +
                      complaint("alert_secret", key.error().message, "secret"));
    to->keys.push_back(std::move(*key));
  }
  if (s.alert_url.empty())
    return out;
  if (const auto why = objection_to_url(s.alert_url))
    return fail(ec::bad_configuration, "[dead_letters] alert_url: " + *why);
  to->url = s.alert_url;
  out = [to, poster = std::move(poster), time = std::move(time),
         log = std::move(log)](const dead_letter& letter, uint64_t before,
                               std::function<void(bool)> ended) {
    std::string body =
        "{\"type\":\"dead_letter\",\"not_told\":" + std::to_string(before) +
        ",\"dead_letter\":";
    codec::append_dead_letter(body, letter);
    body += '}';
    auto request = delivery::make_request(
        *to, delivery::message_id(letter.id, "dead_letters"),
        shared_text{std::move(body)}, time->now());
    if (to->keys.empty())
      std::erase_if(request.headers, [](const auto& h) {
        return h.first.starts_with("webhook-signature");
      });
    poster->post(std::move(request), [log, ended = std::move(ended)](
                                         const outgoing::result& answer) {
      if (!answer)
        log->warn("nobody was told of a dead letter: {}",
                  answer.error().message);
      else if (answer->status < 200 || answer->status >= 300)
        log->warn("nobody was told of a dead letter: alert_url answered {}",
                  answer->status);
      ended(answer && answer->status >= 200 && answer->status < 300);
    });
  };
  return out;
}

} // namespace eventweft
