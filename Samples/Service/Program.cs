// POST /predict with the input's numbers as a JSON array; GET /health; GET /decisions for the governor's log.
using MaestroDeploy.Hosting;
using MaestroDeploy.Runtime.Elastic;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddElasticModel(builder.Configuration.GetSection("Model").Bind);
var app = builder.Build();

app.MapHealthChecks("/health");
app.MapGet("/decisions", (ElasticSession session) => session.Log);
app.MapPost("/predict", (float[] input, ElasticSession session) =>
{
    var output = new float[session.Outputs[0].Shape.Aggregate(1, (product, size) => product * size)];
    try
    {
        var variant = session.Run(input, output);
        return Results.Ok(new { variant = variant.Id, output });
    }
    catch (ArgumentException e)
    {
        return Results.BadRequest(e.Message); // which shape the family takes, and what was found
    }
});
app.Run();
