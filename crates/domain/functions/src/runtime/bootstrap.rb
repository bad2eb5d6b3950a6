# Runs a Ruby handler over the Lambda runtime API. Standard library only; ends when the API does.

require "json"
require "net/http"
require "time"

API = "/2018-06-01/runtime"
$stdout.sync = true
$stderr.sync = true

# What a handler may know of its invocation.
class Context
  attr_reader :aws_request_id, :invoked_function_arn, :function_name, :function_version, :memory_limit_in_mb,
              :log_group_name, :log_stream_name, :deadline_ms, :identity, :client_context

  def initialize(headers)
    @aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    @invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
    @deadline_ms = headers["Lambda-Runtime-Deadline-Ms"].to_i
    @function_name = ENV["AWS_LAMBDA_FUNCTION_NAME"]
    @function_version = ENV["AWS_LAMBDA_FUNCTION_VERSION"]
    @memory_limit_in_mb = ENV["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    @log_group_name = ENV["AWS_LAMBDA_LOG_GROUP_NAME"]
    @log_stream_name = ENV["AWS_LAMBDA_LOG_STREAM_NAME"]
    client = headers["Lambda-Runtime-Client-Context"]
    @client_context = client && JSON.parse(client)
  end

  def get_remaining_time_in_millis
    [@deadline_ms - (Time.now.to_f * 1000).to_i, 0].max
  end
end

# The runtime API, over one connection.
class Runtime
  def initialize(address)
    host, port = address.split(":")
    @http = Net::HTTP.new(host, port.to_i, nil)
    @http.read_timeout = nil
    @http.keep_alive_timeout = 3600
    @http.start
  end

  def call(request, body = nil)
    request.body = body if body
    @http.request(request)
  rescue SystemCallError, IOError, Net::ProtocolError
    # The server is gone or has given this process up.
    exit!(1)
  end

  def next_invocation
    call(Net::HTTP::Get.new("#{API}/invocation/next"))
  end

  def post(path, body, headers = {})
    call(Net::HTTP::Post.new(API + path, { "Content-Type" => "application/json", **headers }), body)
  end

  def fail(path, error)
    type = error[:errorType].gsub(/[^\x20-\x7e]/, "?")
    post(path, JSON.generate(error), { "Lambda-Runtime-Function-Error-Type" => type })
  end
end

def describe(error, kind)
  trace = (error.backtrace || []).reject { |line| line.start_with?(__FILE__) }
  { errorMessage: error.message.scrub, errorType: "#{kind}<#{error.class}>", stackTrace: trace }
end

# One event of several lines: one that ends in a zero goes on in the next.
def show(kind, error)
  lines = [kind, JSON.generate(error)].join(" ")
  $stdout.write(lines.gsub("\n", "\0\n") + "\n")
end

# `file.method`, or `file.Module::Class.method`.
def find_handler(name)
  file, *names = name.split(".")
  raise ArgumentError, "Invalid handler #{name}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD" if names.empty?

  require File.expand_path(file, ENV["LAMBDA_TASK_ROOT"])
  method = names.pop
  owner = names.empty? ? TOPLEVEL_BINDING.receiver : Object.const_get(names.join("::"))
  owner.method(method)
end

runtime = Runtime.new(ENV["AWS_LAMBDA_RUNTIME_API"])
begin
  handler = find_handler(ENV["_HANDLER"])
rescue Exception => error # What a file does when it is loaded, SystemExit too, ends here.
  described = describe(error, "Init")
  show("Init error when loading handler #{ENV["_HANDLER"]}", described)
  runtime.fail("/init/error", described)
  exit(1)
end

loop do
  given = runtime.next_invocation
  context = Context.new(given)
  ENV["_X_AMZN_TRACE_ID"] = given["Lambda-Runtime-Trace-Id"]
  path = "/invocation/#{context.aws_request_id}"
  begin
    answer = JSON.generate(handler.call(event: JSON.parse(given.body.dup.force_encoding("UTF-8")), context: context))
  rescue StandardError, ScriptError, NoMemoryError, SystemStackError => error
    described = describe(error, "Function")
    show("Error raised from handler method", described)
    runtime.fail("#{path}/error", described)
  else
    runtime.post("#{path}/response", answer)
  end
end
