// SPDX-License-Identifier: Apache-2.0
#include "app/embed/access.hpp"

#include "app/embed/record.hpp"
#include "codec/filter.hpp"
#include "config/loader.hpp"

#include <spdlog/sinks/base_sink.h>

#include <mutex>

namespace eventweft::embed {

namespace {

using sink_function = std::function<void(LogLevel, std::string_view)>;

LogLevel external(spdlog::level::level_enum level) noexcept {
  switch (level) {
  case spdlog::level::trace:
    return LogLevel::trace;
  case spdlog::level::debug:
    return LogLevel::debug;
  case spdlog::level::info:
    return LogLevel::info;
  case spdlog::level::warn:
    return LogLevel::warn;
  case spdlog::level::off:
    return LogLevel::off;
  default:
    return LogLevel::error;
  }
}

spdlog::level::level_enum level_of(LogLevel level) noexcept {
  switch (level) {
  case LogLevel::trace:
    return spdlog::level::trace;
  case LogLevel::debug:
    return spdlog::level::debug;
  case LogLevel::info:
    return spdlog::level::info;
  case LogLevel::warn:
    return spdlog::level::warn;
  case LogLevel::error:
    return spdlog::level::err;
  case LogLevel::off:
    break;
  }
  return spdlog::level::off;
}

/// The host's function as a sink.
class function_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit function_sink(sink_function f) : function_(std::move(f)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    function_(external(msg.level),
              printable_line({msg.payload.data(), msg.payload.size()}));
  }

  void flush_() override {}

 private:
  sink_function function_;
};

Errc code_of(ec code) noexcept {
  switch (code) {
  case ec::malformed:
  case ec::unsupported_media_type:
    return Errc::malformed;
  case ec::unprocessable:
  case ec::row_refused:
  case ec::unauthorized:
  case ec::forbidden:
  case ec::method_not_allowed:
    return Errc::unprocessable;
  case ec::not_found:
    return Errc::not_found;
  case ec::conflict:
    return Errc::conflict;
  case ec::too_large:
    return Errc::too_large;
  case ec::overloaded:
  case ec::too_many_requests:
    return Errc::overloaded;
  case ec::store_unavailable:
    return Errc::store_unavailable;
  case ec::store_full:
    return Errc::store_full;
  case ec::timed_out:
    return Errc::timed_out;
  case ec::shutting_down:
    return Errc::not_running;
  case ec::bad_configuration:
  case ec::schema_mismatch:
    return Errc::bad_configuration;
  default:
    return Errc::internal;
  }
}

} // namespace

Error to_error(const error& e) {
  return {code_of(e.code), e.message};
}

Event access::wrap(event_ptr ev) {
  return Event{std::make_shared<const Event::Record>(std::move(ev))};
}

filter access::internal(const Filter& f) {
  filter out;
  out.platforms = f.platforms;
  out.event_types = f.event_types;
  out.source_ids = f.source_ids;
  out.source_names = f.source_names;
  out.actor_ids = f.actor_ids;
  out.correlation_ids = f.correlation_ids;
  if (f.min_priority)
    out.min_priority = static_cast<eventweft::priority>(*f.min_priority);
  out.custom_filters = f.custom_filters;
  // The reader of filters knows all that can be wrong with one.
  return unwrap(codec::parse_filter(codec::filter_json(out)));
}

Filter access::external(const filter& f) {
  Filter out;
  out.platforms = f.platforms;
  out.event_types = f.event_types;
  out.source_ids = f.source_ids;
  out.source_names = f.source_names;
  out.actor_ids = f.actor_ids;
  out.correlation_ids = f.correlation_ids;
  if (f.min_priority)
    out.min_priority = static_cast<Priority>(*f.min_priority);
  out.custom_filters = f.custom_filters;
  return out;
}

start_point access::internal(const Since& s) noexcept {
  switch (s.kind_) {
  case Since::Kind::seq:
    return start_point::after(s.seq_);
  case Since::Kind::time:
    return start_point::at(
        std::chrono::floor<std::chrono::microseconds>(s.time_));
  case Since::Kind::now:
    break;
  }
  return start_point::end();
}

config::settings access::resolve(const Config& c) {
  config::load_options options;
  if (c.environment_)
    options.env = config::process_environment();
  for (const auto& [key, value] : c.values_)
    options.flags.push_back({key, key, value});
  expected<config::effective> loaded;
  if (c.file_) {
    options.file = *c.file_;
    loaded = config::load_effective(options);
  } else {
    // What lies about in the working directory is none of a library's
    // business.
    options.env.erase("EVENTWEFT_CONFIG");
    loaded = config::load_text("", "the configuration", options);
  }
  auto out = unwrap(std::move(loaded));
  if (!out.origins.contains("store.url"))
    out.values.store.url = "memory:";
  return std::move(out.values);
}

logger_ptr access::make_log(const Config& c, const config::settings& s,
                            const std::string& name) {
  if (c.log_) {
    auto log = std::make_shared<spdlog::logger>(
        name, std::make_shared<function_sink>(c.log_));
    log->set_level(level_of(c.log_from_));
    return log;
  }
  if (c.log_as_configured_)
    return unwrap(make_logger({s.log.level, s.log.format, s.log.file}));
  return null_logger();
}

} // namespace eventweft::embed

namespace eventweft {

Filter parse_filter(std::string_view json) {
  return embed::access::external(embed::unwrap(codec::parse_filter(json)));
}

Config& Config::set(std::string key, std::string value) {
  values_.emplace_back(std::move(key), std::move(value));
  return *this;
}

Config& Config::use_environment(bool on) {
  environment_ = on;
  return *this;
}

Config& Config::serve_http(bool on) {
  http_ = on;
  return *this;
}

Config& Config::log_to(std::function<void(LogLevel, std::string_view)> sink,
                       LogLevel from) {
  log_ = std::move(sink);
  log_from_ = from;
  return *this;
}

Config& Config::log_as_configured() {
  log_as_configured_ = true;
  return *this;
}

Config load_config(const std::string& path) {
  Config out;
  out.file_ = path;
  out.environment_ = true;
  // Faults show where the file is named, not at the start.
  embed::access::resolve(out);
  return out;
}

} // namespace eventweft
