using MaestroDeploy.Profiles;
using Microsoft.Extensions.Options;

namespace MaestroDeploy.Hosting;

/// <summary>Refuses options, when the host starts, that no session could be opened with.</summary>
/// <param name="model">The model's name; options of others are not looked at.</param>
sealed class ElasticModelValidation(string model) : IValidateOptions<ElasticModelOptions>
{
    static readonly TimeSpan LongestLatency = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, ElasticModelOptions options)
    {
        if (name != model)
        {
            return ValidateOptionsResult.Skip;
        }

        // Configuration may hold nulls and empty texts, whatever the properties' types say.
        if (string.IsNullOrEmpty(options.Device) || options.PackedFolder is "")
        {
            return Failed($"{(options.PackedFolder is "" ? nameof(options.PackedFolder) : nameof(options.Device))} is empty; give it a value, or leave it out.");
        }

        if (string.IsNullOrEmpty(options.Folder) || !File.Exists(Path.Combine(options.Folder, FamilyManifest.FileName)))
        {
            return Failed($"{nameof(options.Folder)} '{options.Folder}' has no {FamilyManifest.FileName}; name the folder that an export wrote.");
        }

        if (options.Profile is { } profile && !File.Exists(profile))
        {
            return Failed($"{nameof(options.Profile)} '{profile}' is no file; name one that 'maestro profile' wrote, or leave it out.");
        }

        if (options.PackedFolder is not null && !options.Prepack)
        {
            return Failed($"{nameof(options.PackedFolder)} keeps prepacked weights, and {nameof(options.Prepack)} is off; turn it on, or leave {nameof(options.PackedFolder)} out.");
        }

        if (options.MaxLatency > LongestLatency)
        {
            return Failed($"{nameof(options.MaxLatency)} is {options.MaxLatency:c}, longer than anyone waits; a time of 5 ms is written 00:00:00.005, and a number alone is days.");
        }

        try
        {
            _ = (options.Level(), options.Elastic(model));
            return ValidateOptionsResult.Success;
        }
        catch (ArgumentException e)
        {
            return Failed(e.Message);
        }

        ValidateOptionsResult Failed(string why) => ValidateOptionsResult.Fail(model.Length > 0 ? $"Elastic model '{model}': {why}" : $"Elastic model: {why}");
    }
}
