// SPDX-License-Identifier: MIT
// dotnet new web -o app; cp Program.cs app; dotnet run --project app --urls http://127.0.0.1:8080
using Microsoft.AspNetCore.SignalR;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddSignalR();
var app = builder.Build();
app.MapHub<Echo>("/echo");
app.MapGet("/metric", () => new { agentsConnections = Echo.Open });
app.Run();

class Echo : Hub
{
    static int open;
    public static int Open => Volatile.Read(ref open);

    public override Task OnConnectedAsync()
    {
        Interlocked.Increment(ref open);
        return base.OnConnectedAsync();
    }

    public override Task OnDisconnectedAsync(Exception? error)
    {
        Interlocked.Decrement(ref open);
        return base.OnDisconnectedAsync(error);
    }

    public string Say(string text) => text;
}
