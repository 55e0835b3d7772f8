// SPDX-License-Identifier: Apache-2.0
#include "codec/subscription_json.hpp"

#include "codec/filter.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "messages/complaint.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace eventweft::codec {

namespace {

namespace json = boost::json;

constexpr size_t max_name = 100;
constexpr size_t max_text = 1'000;
constexpr size_t max_url = 2'048;
constexpr uint32_t most_concurrent = 1'000;
constexpr double most_rate = 1e6;

json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

tl::unexpected<error> refuse(std::string_view member, std::string_view what) {
  return fail(ec::unprocessable, complaint(member, what));
}

/// An object whose members are taken out one by one; what is left is unknown.
class fields {
 public:
  static expected<fields> read(std::string_view body) {
    boost::system::error_code code;
    auto root = json::parse(view(body), code);
    if (code)
      return fail(ec::malformed, "body: not JSON: " + code.message());
    if (!root.is_object())
      return fail(ec::malformed, "body: expected a JSON object");
    // The library keeps the last of several members with one name.
    payload_reader reader;
    const auto raw = reader.parse(body);
    if (!raw)
      return fail(ec::malformed, "body: " + raw.error().message);
    const simdjson::dom::object members = raw->get_object();
    if (const auto twice = repeated_member(members))
      return fail(ec::malformed, complaint(*twice, "is given twice"));
    fields out{std::move(root.as_object())};
    for (const auto& member : members) {
      simdjson::dom::object inner;
      if (member.key == "filter")
        out.filter_ = simdjson::minify(member.value);
      else if (member.value.get(inner) != simdjson::SUCCESS)
        continue;
      else if (const auto again = repeated_member(inner))
        return fail(
            ec::malformed,
            complaint(member.key, std::string{*again} + " is given twice"));
    }
    return out;
  }

  /// Null if there is none, or it is null.
  const json::value* find(std::string_view name) {
    known_.push_back(name);
    const auto* found = members_.if_contains(view(name));
    return found != nullptr && found->is_null() ? nullptr : found;
  }

  void text(std::string_view name, size_t most,
            std::optional<std::string>& out) {
    const auto* x = find(name);
    if (x == nullptr)
      return;
    if (!x->is_string() || x->as_string().size() > most)
      note(name,
           "expected a string of at most " + std::to_string(most) + " bytes");
    else if (x->as_string().find('\0') != json::string::npos)
      note(name, "must not hold U+0000");
    else
      out = std::string{view(x->as_string())};
  }

  void flag(std::string_view name, std::optional<bool>& out) {
    const auto* x = find(name);
    if (x == nullptr)
      return;
    if (!x->is_bool())
      note(name, "expected true or false");
    else
      out = x->as_bool();
  }

  void whole(std::string_view name, uint32_t most,
             std::optional<uint32_t>& out) {
    const auto* x = find(name);
    if (x == nullptr)
      return;
    boost::system::error_code code;
    const auto number = x->to_number<uint32_t>(code);
    if (code || number > most)
      note(name, "expected a whole number from 0 to " + std::to_string(most));
    else
      out = number;
  }

  void number(std::string_view name, double most, std::optional<double>& out) {
    const auto* x = find(name);
    if (x == nullptr)
      return;
    boost::system::error_code code;
    const auto value = x->to_number<double>(code);
    if (code || !std::isfinite(value) || value < 0 || value > most)
      note(name, "expected a number from 0 to 1000000");
    else
      out = value;
  }

  void filter(std::optional<eventweft::filter>& out) {
    if (find("filter") == nullptr)
      return;
    auto read = parse_kept_filter(filter_);
    if (!read)
      fault_ = fault_ ? fault_ : read.error();
    else
      out = std::move(*read);
  }

  void format(std::string_view name, std::optional<wire_format>& out) {
    std::optional<std::string> text_of;
    text(name, max_name, text_of);
    if (!text_of)
      return;
    if (*text_of == "native")
      out = wire_format::native;
    else if (*text_of == "cloudevents")
      out = wire_format::cloudevents;
    else
      note(name, R"(expected "native" or "cloudevents")");
  }

  void since(std::string_view name, std::optional<start_point>& out) {
    const auto* x = find(name);
    if (x == nullptr)
      return;
    const auto text_of = x->is_string() ? std::string{view(x->as_string())}
                                        : json::serialize(*x);
    auto read = parse_since(text_of);
    if (!read)
      note(name, read.error().message);
    else
      out = *read;
  }

  /// An object of texts.
  void headers(std::string_view name,
               std::optional<outgoing::header_list>& out) {
    const auto* x = find(name);
    if (x == nullptr)
      return;
    if (!x->is_object()) {
      note(name, "expected an object of strings");
      return;
    }
    outgoing::header_list list;
    for (const auto& [key, value] : x->as_object()) {
      if (!value.is_string()) {
        note(name, "expected an object of strings");
        return;
      }
      list.emplace_back(std::string{key.data(), key.size()},
                        std::string{view(value.as_string())});
    }
    out = std::move(list);
  }

  void note(std::string_view name, std::string_view what) {
    if (!fault_)
      fault_ = refuse(name, what).value();
  }

  /// The first fault, or an unknown member.
  expected<void> finish() const {
    if (fault_)
      return fail(*fault_);
    for (const auto& member : members_) {
      const std::string_view name{member.key().data(), member.key().size()};
      if (std::find(known_.begin(), known_.end(), name) == known_.end())
        return fail(ec::unprocessable,
                    "unknown member \"" + std::string{name} + '"');
    }
    return {};
  }

 private:
  explicit fields(json::object members) : members_(std::move(members)) {}

  json::object members_;
  /// As it was sent.
  std::string filter_;
  std::vector<std::string_view> known_;
  std::optional<error> fault_;
};

bool is_stream_name(std::string_view name) {
  // Clients take these out of paths (RFC 3986, 5.2.4): nobody could ask for it.
  if (name == "." || name == "..")
    return false;
  return !name.empty() && name.size() <= max_name &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
         });
}

/// As people write numbers: 0.25, where the library has 2.5E-1.
void append_number(std::string& out, double x) {
  char text[64];
  const bool short_enough =
      x == 0 || (std::abs(x) >= 1e-6 && std::abs(x) < 1e15);
  const auto [end, fault] =
      short_enough
          ? std::to_chars(text, text + sizeof text, x, std::chars_format::fixed)
          : std::to_chars(text, text + sizeof text, x);
  if (fault == std::errc{} && std::isfinite(x))
    out.append(text, end);
  else
    out.append("null");
}

void append_value(std::string& out, const json::value& x) {
  const auto separate = [&out](char open) {
    if (out.back() != open)
      out.push_back(',');
  };
  if (const auto* object = x.if_object()) {
    out.push_back('{');
    for (const auto& [name, value] : *object) {
      separate('{');
      append_quoted(out, std::string_view{name.data(), name.size()});
      out.push_back(':');
      append_value(out, value);
    }
    out.push_back('}');
  } else if (const auto* array = x.if_array()) {
    out.push_back('[');
    for (const auto& value : *array) {
      separate('[');
      append_value(out, value);
    }
    out.push_back(']');
  } else if (x.is_double()) {
    append_number(out, x.get_double());
  } else {
    out.append(json::serialize(x));
  }
}

/// For clients.
std::string text_of(const json::value& x) {
  std::string out;
  append_value(out, x);
  return out;
}

json::value value_of(const std::optional<timestamp>& t) {
  return t ? json::value(view(to_rfc3339(*t))) : json::value(nullptr);
}

json::value value_of(const eventweft::filter& f) {
  return json::parse(view(filter_json(f)));
}

std::string_view name_of(wire_format format) {
  return format == wire_format::cloudevents ? "cloudevents" : "native";
}

json::object object_of(const stream_definition& s) {
  return {{"name", s.name},
          {"description", s.description},
          {"filter", value_of(s.filter)},
          {"built_in", s.built_in},
          {"created_at", s.created_at == timestamp{}
                             ? json::value(nullptr)
                             : value_of(std::optional{s.created_at})}};
}

json::object object_of(const subscription_view& v) {
  const auto& s = v.what;
  const auto& f = v.figures;
  json::array names;
  for (const auto& [name, value] : s.headers)
    names.emplace_back(name);
  json::object out = {
      {"id", to_string(s.id)},
      {"stream", s.stream},
      {"type", view(to_string(s.type))},
      {"subscriber_id", s.subscriber_id},
      {"url", s.url},
      {"filter", value_of(s.filter)},
      {"format", view(name_of(s.format))},
      {"ordered", s.ordered},
      {"headers", std::move(names)},
      {"max_concurrent", s.max_concurrent},
      {"rate_per_second", s.rate_per_second},
      {"active", s.active},
      {"disabled_reason", s.disabled_reason.empty()
                              ? json::value(nullptr)
                              : json::value(s.disabled_reason)},
      {"secrets", s.secrets.size()},
      {"public_keys", json::array(v.public_keys.begin(), v.public_keys.end())},
      {"created_at", value_of(std::optional{s.created_at})},
      {"statistics",
       {{"state", f.state},
        {"matched", f.matched},
        {"sent", f.delivered},
        {"errors", f.failed},
        {"given_up", f.given_up},
        {"waiting", f.open - f.under_way},
        {"under_way", f.under_way},
        {"breaker", f.breaker},
        {"cursor", f.cursor},
        {"last_seq", f.last_seq},
        {"lag_events", f.lag_events},
        {"lag_seconds", f.lag_seconds},
        {"replaying", f.replaying},
        {"last_delivery_at", value_of(f.last_delivery_at)},
        {"last_error", f.last_error.empty() ? json::value(nullptr)
                                            : json::value(f.last_error)}}},
  };
  if (!v.new_secret.empty())
    out["secret"] = v.new_secret;
  return out;
}

std::string list_json(std::string_view name, json::array items,
                      json::value next) {
  json::object out;
  out[view(name)] = std::move(items);
  out["next_cursor"] = std::move(next);
  return text_of(out);
}

expected<json::value> parse_stored(std::string_view text) {
  boost::system::error_code code;
  auto root = json::parse(view(text), code);
  if (code)
    return fail(ec::corrupt, "a subscription's row can't be read");
  return root;
}

} // namespace

// -- as the store keeps it ----------------------------------------------------

std::string text_list_json(const std::vector<std::string>& list) {
  json::array out;
  for (const auto& text : list)
    out.emplace_back(text);
  return json::serialize(out);
}

expected<std::vector<std::string>> parse_text_list(std::string_view text) {
  auto root = parse_stored(text);
  if (!root)
    return fail(root.error());
  std::vector<std::string> out;
  if (!root->is_array())
    return fail(ec::corrupt, "a subscription's row can't be read");
  for (const auto& item : root->as_array()) {
    if (!item.is_string())
      return fail(ec::corrupt, "a subscription's row can't be read");
    out.emplace_back(view(item.as_string()));
  }
  return out;
}

std::string header_list_json(const outgoing::header_list& headers) {
  json::array out;
  for (const auto& [name, value] : headers)
    out.push_back(json::array{name, value});
  return json::serialize(out);
}

expected<outgoing::header_list> parse_header_list(std::string_view text) {
  auto root = parse_stored(text);
  if (!root)
    return fail(root.error());
  outgoing::header_list out;
  const auto bad = [] {
    return fail(ec::corrupt, "a subscription's row can't be read");
  };
  if (!root->is_array())
    return bad();
  for (const auto& item : root->as_array()) {
    if (!item.is_array() || item.as_array().size() != 2 ||
        !item.as_array()[0].is_string() || !item.as_array()[1].is_string())
      return bad();
    out.emplace_back(view(item.as_array()[0].as_string()),
                     view(item.as_array()[1].as_string()));
  }
  return out;
}

std::string replay_json(const replay_state& replay) {
  return json::serialize(json::object{{"after", replay.after},
                                      {"until", replay.until},
                                      {"filter", value_of(replay.filter)}});
}

expected<replay_state> parse_replay(std::string_view text) {
  auto root = parse_stored(text);
  if (!root)
    return fail(root.error());
  const auto* members = root->if_object();
  const auto* after = members ? members->if_contains("after") : nullptr;
  const auto* until = members ? members->if_contains("until") : nullptr;
  const auto* what = members ? members->if_contains("filter") : nullptr;
  if (!after || !after->is_int64() || !until || !until->is_int64() || !what)
    return fail(ec::corrupt, "a subscription's replay can't be read");
  auto f = parse_filter(json::serialize(*what));
  if (!f)
    return fail(f.error());
  return replay_state{after->as_int64(), until->as_int64(), std::move(*f)};
}

// -- what clients send --------------------------------------------------------

expected<stream_definition> parse_stream_request(std::string_view body) {
  auto in = fields::read(body);
  if (!in)
    return fail(in.error());
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<eventweft::filter> what;
  in->text("name", max_text, name);
  in->text("description", max_text, description);
  in->filter(what);
  if (!name)
    in->note("name", "is needed");
  else if (!is_stream_name(*name))
    in->note("name",
             "1 to 100 letters, digits, `_`, `.` and `-`, not `.` or `..`");
  if (auto ok = in->finish(); !ok)
    return fail(ok.error());
  stream_definition out;
  out.name = std::move(*name);
  out.description = description.value_or("");
  out.filter = what.value_or(eventweft::filter{});
  return out;
}

expected<stream_change> parse_stream_change(std::string_view body) {
  auto in = fields::read(body);
  if (!in)
    return fail(in.error());
  stream_change out;
  in->text("description", max_text, out.description);
  in->filter(out.filter);
  if (auto ok = in->finish(); !ok)
    return fail(ok.error());
  if (!out.description && !out.filter)
    return fail(ec::unprocessable, "description or filter is needed");
  return out;
}

namespace {

/// What may be given for a new subscription and for one that is changed.
void read_common(fields& in, subscription_change& out,
                 std::optional<std::string>& secret) {
  in.text("subscriber_id", max_text, out.subscriber_id);
  in.text("url", max_url, out.url);
  in.filter(out.filter);
  in.format("format", out.format);
  in.flag("ordered", out.ordered);
  in.headers("headers", out.headers);
  in.whole("max_concurrent", most_concurrent, out.max_concurrent);
  in.number("rate_per_second", most_rate, out.rate_per_second);
  in.flag("active", out.active);
  in.text("secret", max_text, secret);
}

} // namespace

expected<new_subscription> parse_subscription_request(std::string_view body) {
  auto in = fields::read(body);
  if (!in)
    return fail(in.error());
  std::optional<std::string> type;
  std::optional<std::string> secret;
  std::optional<std::string> signature;
  std::optional<start_point> since;
  subscription_change given;
  in->text("type", max_name, type);
  read_common(*in, given, secret);
  in->text("signature", max_name, signature);
  in->since("since", since);
  new_subscription out;
  if (const auto known = parse_subscription_type(type.value_or("webhook")))
    out.what.type = *known;
  else
    in->note("type", R"(expected "webhook", "nats" or "kafka")");
  if (!given.url || given.url->empty())
    in->note("url", "is needed");
  if (signature && *signature != "v1" && *signature != "v1a")
    in->note("signature", R"(expected "v1" or "v1a")");
  if (signature && secret)
    in->note("signature", "goes without secret, whose kind decides");
  if (auto ok = in->finish(); !ok)
    return fail(ok.error());
  auto& s = out.what;
  s.subscriber_id = given.subscriber_id.value_or("");
  s.url = std::move(*given.url);
  s.filter = given.filter.value_or(eventweft::filter{});
  s.format = given.format.value_or(wire_format::native);
  s.ordered = given.ordered.value_or(false);
  s.headers = given.headers.value_or(outgoing::header_list{});
  s.max_concurrent = given.max_concurrent.value_or(0);
  s.rate_per_second = given.rate_per_second.value_or(0);
  s.active = given.active.value_or(true);
  out.secret = secret.value_or("");
  out.asymmetric = signature == "v1a";
  out.since = since.value_or(start_point::end());
  return out;
}

expected<subscription_change> parse_subscription_change(std::string_view body) {
  auto in = fields::read(body);
  if (!in)
    return fail(in.error());
  subscription_change out;
  std::optional<std::string> secret;
  std::optional<bool> rotate;
  std::optional<bool> drop;
  read_common(*in, out, secret);
  in->flag("rotate_secret", rotate);
  in->flag("drop_old_secrets", drop);
  if (out.url && out.url->empty())
    in->note("url", "must not be empty");
  if (auto ok = in->finish(); !ok)
    return fail(ok.error());
  out.rotate_secret = rotate.value_or(false) || secret.has_value();
  out.secret = secret.value_or("");
  out.drop_old_secrets = drop.value_or(false);
  return out;
}

expected<replay_request> parse_replay_request(std::string_view body) {
  auto in = fields::read(body.empty() ? std::string_view{"{}"} : body);
  if (!in)
    return fail(in.error());
  replay_request out;
  std::optional<start_point> since;
  std::optional<std::string> until;
  std::optional<std::string> id;
  std::optional<eventweft::filter> what;
  std::optional<bool> dry;
  in->since("since", since);
  in->text("until", max_name, until);
  in->filter(what);
  in->text("event_id", max_name, id);
  in->flag("dry_run", dry);
  if (until) {
    out.until = parse_rfc3339(*until);
    if (!out.until)
      in->note("until", "expected an RFC 3339 time");
  }
  if (id) {
    out.event_id = uuid::parse(*id);
    if (!out.event_id)
      in->note("event_id", "expected a UUID");
    if (since || until || what)
      in->note("event_id", "goes without since, until and filter");
  } else if (!since) {
    in->note("since", "is needed, or event_id");
  }
  if (auto ok = in->finish(); !ok)
    return fail(ok.error());
  out.since = since.value_or(start_point::end());
  out.filter = what.value_or(eventweft::filter{});
  out.dry_run = dry.value_or(false);
  return out;
}

// -- what they get ------------------------------------------------------------

std::string stream_json(const stream_definition& stream,
                        const stream_figures* figures) {
  auto out = object_of(stream);
  if (figures != nullptr)
    out["statistics"] = {{"active", figures->readers + figures->subscriptions},
                         {"readers", figures->readers},
                         {"subscriptions", figures->subscriptions},
                         {"matched", figures->matched},
                         {"sent", figures->sent},
                         {"errors", figures->errors},
                         {"lag_events", figures->lag_events},
                         {"lag_seconds", figures->lag_seconds},
                         {"last_seq", figures->last_seq}};
  return text_of(out);
}

std::string streams_json(const std::vector<stream_definition>& streams,
                         bool more) {
  json::array items;
  for (const auto& s : streams)
    items.push_back(object_of(s));
  return list_json("streams", std::move(items),
                   more ? json::value(streams.back().name)
                        : json::value(nullptr));
}

std::string subscription_json(const subscription_view& view) {
  return text_of(object_of(view));
}

std::string subscriptions_json(const std::vector<subscription_view>& views,
                               bool more) {
  json::array items;
  for (const auto& v : views)
    items.push_back(object_of(v));
  return list_json("subscriptions", std::move(items),
                   more ? json::value(to_string(views.back().what.id))
                        : json::value(nullptr));
}

std::string deliveries_json(const std::vector<delivery_attempt>& attempts,
                            bool more) {
  json::array items;
  for (const auto& a : attempts)
    items.push_back(
        json::object{{"id", to_string(a.id)},
                     {"event_id", to_string(a.event_id)},
                     {"event_seq", a.event_seq},
                     {"attempt", a.attempt},
                     {"status", view(to_string(a.status))},
                     {"response_status", a.response_status == 0
                                             ? json::value(nullptr)
                                             : json::value(a.response_status)},
                     {"response_body", a.response_body},
                     {"error_message", a.error_message.empty()
                                           ? json::value(nullptr)
                                           : json::value(a.error_message)},
                     {"duration", a.duration},
                     {"created_at", value_of(std::optional{a.created_at})},
                     {"next_attempt_at", value_of(a.next_attempt_at)}});
  return list_json("deliveries", std::move(items),
                   more ? json::value(to_string(attempts.back().id))
                        : json::value(nullptr));
}

std::string delivery_test_json(const delivery_test& test) {
  return text_of(
      json::object{{"delivered", test.delivered},
                   {"response_status", test.response_status == 0
                                           ? json::value(nullptr)
                                           : json::value(test.response_status)},
                   {"response_body", test.response_body},
                   {"error_message", test.error_message.empty()
                                         ? json::value(nullptr)
                                         : json::value(test.error_message)},
                   {"duration", test.duration}});
}

std::string replay_answer_json(const replay_answer& answer) {
  return json::serialize(
      json::object{{"after", answer.after},
                   {"until", answer.until},
                   {"matched", answer.matched ? json::value(*answer.matched)
                                              : json::value(nullptr)}});
}

} // namespace eventweft::codec
